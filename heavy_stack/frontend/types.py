"""The return type of every component."""

from __future__ import annotations

from typing import TypeAlias

from reactpy.types import Component as ReactPyComponent
from reactpy.types import VdomDict

Component: TypeAlias = ReactPyComponent | VdomDict | str | None
"""Whatever a component may return or have as a child; ReactPy's own hints are narrower than what it accepts."""
