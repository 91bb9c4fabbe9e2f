"""What a bench tells people while it runs: standard error; standard output is for results."""

import sys

__all__ = ["say"]


def say(words: str) -> None:
    """Write a line at once."""
    print(words, file=sys.stderr, flush=True)
