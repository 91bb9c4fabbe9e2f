"""What the registry refuses, with the fact that it was about."""

from sqlalchemy.exc import SQLAlchemyError

__all__ = [
    "AlreadyThereError",
    "AmbiguousDeviceError",
    "InvalidFactError",
    "NotThereError",
    "RegistryAwayError",
    "RegistryError",
    "RegistryVersionError",
]


class RegistryError(Exception):
    """Nothing was changed, for a reason that the caller can mend."""


class NotThereError(RegistryError):
    """A fact that nobody has registered, or that the caller may not see."""

    def __init__(self, *, kind: str, name: str) -> None:
        super().__init__(f"there is no {kind} {name!r}")
        self.kind = kind
        self.name = name


class AlreadyThereError(RegistryError):
    """A name that is taken."""

    def __init__(self, *, kind: str, name: str) -> None:
        super().__init__(f"there is a {kind} {name!r} already")
        self.kind = kind
        self.name = name


class AmbiguousDeviceError(RegistryError):
    """A bare device id that several providers have."""

    def __init__(self, *, device: str, providers: tuple[str, ...]) -> None:
        names = ", ".join(f"{provider}/{device}" for provider in providers)
        super().__init__(f"several providers have a device {device!r}: say which of {names}")
        self.device = device
        self.providers = providers


class InvalidFactError(RegistryError):
    """A value that a fact cannot have."""

    def __init__(self, *, field: str, words: str) -> None:
        super().__init__(f"{field}: {words}")
        self.field = field
        self.words = words


class RegistryAwayError(SQLAlchemyError):
    """The database does not answer, or not now; the same may be asked again.

    Attributes:
        words: The driver's own, one line.
        retry_after_s: When to ask again.
    """

    def __init__(self, cause: Exception, retry_after_s: float = 1.0) -> None:
        self.words = " ".join(str(getattr(cause, "orig", None) or cause).split())
        self.retry_after_s = retry_after_s
        super().__init__(f"the registry's database does not answer ({self.words})")


class RegistryVersionError(Exception):
    """The database was made by a newer version of madina."""

    def __init__(self, *, found: str, known: str) -> None:
        super().__init__(
            f"the registry's database has version {found}, this program knows up to {known}:"
            " use the newer madina, or restore a backup"
        )
        self.found = found
        self.known = known
