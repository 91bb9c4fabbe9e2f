"""How a role tells its supervisor that it serves: one line on an inherited descriptor."""

import os
from collections.abc import Callable

__all__ = ["ready_teller"]


def ready_teller(descriptor: int | None) -> Callable[[], None]:
    """Return what to call once; it does nothing where nobody waits for it."""

    def tell() -> None:
        if descriptor is not None:
            os.write(descriptor, b"ready\n")
            os.close(descriptor)

    return tell
