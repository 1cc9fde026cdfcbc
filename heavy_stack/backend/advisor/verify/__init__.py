"""verify: nothing is sent that was not shown to be equal (conditions, test data, real data)."""

from heavy_stack.backend.advisor.verify.stage import verify

__all__ = ["verify"]
