"""Where files lie: one place decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.errors import SettingsError


@dataclass(frozen=True)
class Folders:
    """The program's own folders, one a purpose; only their owner can look inside.

    Attributes:
        config: what the user writes: settings, catalogues.
        data: what must not be lost.
        models: model files; large, and can be fetched again.
        cache: what can be deleted at any time.
        logs: what went wrong; never what was said.
    """

    config: Path
    data: Path
    models: Path
    cache: Path
    logs: Path

    @classmethod
    def find(cls, environ: Mapping[str, str]) -> Folders:
        """All under ``PLAYGROUND_HOME`` when it is set, else where the platform keeps such things."""
        home = environ.get("PLAYGROUND_HOME")
        if home:
            root = Path(home).expanduser().absolute()
            return cls(*(root / name for name in ("config", "data", "models", "cache", "logs")))
        from platformdirs import PlatformDirs

        dirs = PlatformDirs("playground", appauthor=False)
        data = dirs.user_data_path
        return cls(dirs.user_config_path, data, data / "models", dirs.user_cache_path, dirs.user_log_path)

    def make(self) -> None:
        """Creates what is missing, closed to others.

        Raises:
            SettingsError: when a folder cannot be made.
        """
        for folder in (self.config, self.data, self.models, self.cache, self.logs):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise SettingsError(
                    f"The folder {folder} cannot be made: {error.strerror}.",
                    "Set PLAYGROUND_HOME to a folder that you can write to.",
                ) from error
