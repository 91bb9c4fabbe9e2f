"""The key that opens every call: of the settings, where several machines share one, or our own."""

from madina.data_folder import DataFolder
from madina.settings import Settings

__all__ = ["admin_key"]


def admin_key(settings: Settings) -> str:
    """Return the key; made in the data folder at first use where the settings have none.

    Raises:
        SetupError: If it cannot be read or made.
    """
    return settings.admin_key or DataFolder(settings.data_dir).admin_key()
