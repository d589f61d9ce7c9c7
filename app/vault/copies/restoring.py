"""Bringing a backup back, so that a kill at any moment leaves the old vault or the new one."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

from app.vault.opening import Places, master_key
from app.vault.storage.cipher import connect
from app.vault.storage.files import sync_folder, write_error

from .backup_file import Manifest, extract_database, read_trailer, verify

_STAGED = ".restoring"


def restore(path: Path, places: Places, secret: str | None) -> Manifest:
    """Puts a backup in the vault's place; what was there is kept in a folder beside it.

    The caller has the vault alone. A kill at any moment leaves the old vault or the new one: what is left to do is
    done by ``finish_restoring`` at the next start.

    Raises:
        BackupError: when the backup is not sound; nothing is changed then.
        WrongPassphraseError: when the secret does not open it.
    """
    manifest = verify(path, secret)
    _manifest, length = read_trailer(path)
    master = master_key(manifest.keys, secret)
    staged = places.restored.with_name(_STAGED)
    shutil.rmtree(staged, ignore_errors=True)
    try:
        staged.mkdir(mode=0o700)
        database = staged / places.database.name
        extract_database(path, database, length)
        connect(database, manifest.keys.data_key(master, 0)).close()
        manifest.keys.write(staged / places.keys.name)
        (staged / "replaced").mkdir(mode=0o700)
        sync_folder(staged)
        staged.replace(places.restored)
        sync_folder(places.restored.parent)
    except OSError as error:
        raise write_error(places.database, error) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    finish_restoring(places)
    return manifest


def finish_restoring(places: Places) -> None:
    """Moves a restored vault into its place. Can be cut off anywhere and done again; does nothing without one."""
    ready = places.restored
    shutil.rmtree(ready.with_name(_STAGED), ignore_errors=True)
    if not ready.is_dir():
        return
    replaced = ready / "replaced"
    for path in (places.database, places.keys):
        if not (ready / path.name).exists():
            continue
        for old in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            if old.exists():
                old.replace(replaced / old.name)
        (ready / path.name).replace(path)
    if replaced.is_dir() and any(replaced.iterdir()):
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        names = [f"replaced-{stamp}", *(f"replaced-{stamp}-{number}" for number in range(2, 1000))]
        replaced.replace(next(p for name in names if not (p := ready.parent / name).exists()))
    shutil.rmtree(ready)
    sync_folder(ready.parent)
