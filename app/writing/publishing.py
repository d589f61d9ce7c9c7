"""Putting an exported post into a folder, without ever taking away what somebody else wrote there."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from app.errors import DiskFullError, FileThereError, PublishError

from .exporting import Exported


async def publish(exported: Exported, folder: Path, *, replace: bool = False) -> Path:
    """Writes the file below ``folder``, wholly or not at all.

    Args:
        exported: the file.
        folder: where it goes; made when it is not there.
        replace: whether a file of that name with another content may be replaced.

    Returns:
        Where it is.

    Raises:
        FileThereError: when such a file is there.
        PublishError: when the folder cannot be written to.
        DiskFullError: when there is no room; what was there is untouched.
    """
    return await asyncio.to_thread(_publish, exported, folder, replace)


async def require_room(files: Iterable[Exported], folder: Path) -> None:
    """Checks that none of ``files`` would replace a file with another text.

    Raises:
        FileThereError: when some would, naming the first.
        PublishError: when one of them cannot be read.
    """

    def in_the_way() -> list[Path]:
        targets = ((folder.joinpath(*file.path.parts), file) for file in files)
        return [path for path, file in targets if path.exists() and not _is_same(path, _content(file))]

    try:
        there = await asyncio.to_thread(in_the_way)
    except OSError as error:
        raise _failure(folder, error) from error
    if there:
        others = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise FileThereError(f"{there[0]}{others} would be replaced by another text.", "Say that they may be replaced.")


def _publish(exported: Exported, folder: Path, replace: bool) -> Path:
    target = folder.joinpath(*exported.path.parts)
    content = _content(exported)
    try:
        if not target.resolve().is_relative_to(folder.resolve()):
            raise PublishError(f"{target} leads out of {folder} by a link.", "Choose another folder.")
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, content, replace)
    except OSError as error:
        raise _failure(target, error) from error
    return target


def _write(target: Path, content: bytes, replace: bool) -> None:
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            part.replace(target)
            return
        try:
            target.hardlink_to(part)  # fails where the name is taken, even if that happened this moment
        except FileExistsError:
            _require_same(target, content)
        except OSError as error:
            # Some file systems, as of memory sticks, know no links.
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
                raise
            if target.exists():
                _require_same(target, content)
            else:
                part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _require_same(target: Path, content: bytes) -> None:
    if not _is_same(target, content):
        raise FileThereError(
            f"{target} is there already, with another text.", "Say that it may be replaced, or change the slug."
        )


def _is_same(target: Path, content: bytes) -> bool:
    return target.is_file() and target.read_bytes() == content


def _content(exported: Exported) -> bytes:
    return exported.text.encode("utf-8", "replace")


def _failure(target: Path, error: OSError) -> PublishError | DiskFullError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFullError(f"There is no room on the disk for {target}.", "Make room; the post itself is kept.")
    return PublishError(f"{target} cannot be written: {error.strerror}.", "See who may write to that folder.")
