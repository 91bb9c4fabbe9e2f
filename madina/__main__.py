"""`python -m madina`: the same as the `madina` command, found beside the interpreter we run on."""

from madina.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
