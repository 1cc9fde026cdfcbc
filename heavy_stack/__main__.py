"""`python -m heavy_stack` is the `heavy-stack` command."""

from heavy_stack.cli import main

if __name__ == "__main__":
    main()
