"""TLS as a device speaks it."""

import ssl

__all__ = ["client_tls"]


def client_tls(ca: str | None) -> ssl.SSLContext:
    """Return how to speak TLS.

    Args:
        ca: PEM file of who signed the server's certificate; None: whom the system trusts.

    Raises:
        OSError: If the file cannot be read.
    """
    context = ssl.create_default_context(cafile=ca)
    # A rig dials addresses of this machine, which certificates rarely name.
    context.check_hostname = False
    return context
