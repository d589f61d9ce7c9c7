"""What the user chose, and where files lie."""

from .folders import Folders
from .load import LoadedSettings, Origin, load_settings
from .schema import (
    ChatSettings,
    EngineSettings,
    ModelSettings,
    PrivacySettings,
    ServerSettings,
    Settings,
    TuiSettings,
    VaultSettings,
)

__all__ = [
    "ChatSettings",
    "EngineSettings",
    "Folders",
    "LoadedSettings",
    "ModelSettings",
    "Origin",
    "PrivacySettings",
    "ServerSettings",
    "Settings",
    "TuiSettings",
    "VaultSettings",
    "load_settings",
]
