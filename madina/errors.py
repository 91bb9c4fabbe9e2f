"""What ends a command before it has begun: one line that names the cause and what mends it."""

__all__ = ["CommandError", "SetupError"]


class SetupError(Exception):
    """Something about the machine or the settings that a person has to mend: exit status 2."""

    def __init__(self, cause: str, mend: str = "") -> None:
        super().__init__(f"{cause}: {mend}" if mend else cause)
        self.cause = cause
        self.mend = mend


class CommandError(Exception):
    """A command that could not do what it was asked to: exit status 1."""
