"""What the user chose, and where files lie."""

from .folders import Folders
from .load import LoadedSettings, Origin, load_settings
from .schema import EngineSettings, ModelSettings, PrivacySettings, Settings, TuiSettings

__all__ = [
    "EngineSettings",
    "Folders",
    "LoadedSettings",
    "ModelSettings",
    "Origin",
    "PrivacySettings",
    "Settings",
    "TuiSettings",
    "load_settings",
]
