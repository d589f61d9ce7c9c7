"""Model files on this machine: fetched once, named by their digest, checked before use.

Below the models' folder lie ``blobs/sha256-…``, the files themselves; ``NAME/``, a folder a model with links to its
blobs and a record of what was checked; ``partial/``, what is on its way; ``quarantine/``, what came wrong.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from app.engine.catalogues.catalogue import Catalogue, ModelEntry
from app.engine.catalogues.imported import ImportedModels
from app.engine.progress import Meter, Progress, Stage
from app.engine.sources import ModelFile, source_of
from app.errors import DiskFullError, DownloadError, IntegrityError, InvalidRequestError
from app.privacy.connections import ConnectionPolicy

from .download import Report, disk_error
from .integrity import FileIdentity, check_digest, check_format, sha256_of
from .records import Record, StoredFile, read_record, write_record
from .room import no_room, require_room

if TYPE_CHECKING:
    from filelock import FileLock

_LOCK_POLL_S = 0.1
_PART_LOCK = "PART-"
_BLOBS_LOCK = "BLOBS"
"""Held for the moment in which a blob gets its name and its link, so that no removal falls between. Models' names are
in small letters, so that none has a lock of this name."""

OnProgress = Callable[[Progress], None]


class Verification(Struct, frozen=True):
    """A model file was read whole and is what it should be."""

    name: str
    path: Path
    sha256: str
    pinned_on_first_download: bool


class ModelStore:
    """Fetches, checks, finds and removes model files. Methods that are not ``async`` only look, and are quick.

    Args:
        folder: where everything lies.
        policy: who may connect out.
    """

    def __init__(self, folder: Path, policy: ConnectionPolicy) -> None:
        self._folder, self._policy = folder, policy
        self._blobs = folder / "blobs"
        self._imported = ImportedModels(folder / "imported.toml")

    @property
    def imported_catalogue(self) -> Path:
        """The catalogue of files that the user brought."""
        return self._imported.path

    def path_of(self, entry: ModelEntry) -> Path | None:
        """Where a model's file is, if all of it is here; it may still need checking: see ``ready``."""
        record = self._record(entry)
        return self._folder / entry.name / record.main if record else None

    def digest_of(self, entry: ModelEntry) -> str | None:
        """The sha256 that a model's file had when it was last checked, if it is here."""
        record = self._record(entry)
        return record.files[record.main].sha256 if record else None

    def local_entries(self, catalogue: Catalogue) -> tuple[ModelEntry, ...]:
        """The models of a catalogue whose files are here."""
        return tuple(entry for entry in catalogue.entries if self.path_of(entry) is not None)

    async def fetch(self, entry: ModelEntry, on_progress: OnProgress) -> Path:
        """Downloads a model, or finds it here; goes on where an earlier try ended. Cancelling keeps what came.

        Two processes that ask at once download once: the second waits for the first.

        Raises:
            DiskFullError: when there is no room, before or while it comes.
            IntegrityError: when what came is not what the catalogue promises; it goes to the quarantine.
            OfflineError, DownloadError, LocalOnlyError: when it cannot be had.
        """
        here = self.path_of(entry)
        if here is not None:
            return here  # without a lock, which a store that may only be read has no room for
        meter = Meter()

        def report(stage: Stage, done: int, total: int | None) -> None:
            on_progress(meter.at(stage, done, total))

        try:
            async with self._alone(entry.name, lambda: report("waiting", 0, None)):
                return self.path_of(entry) or await self._fetch_files(entry, report)
        except OSError as error:
            raise disk_error(error, self._folder / entry.name) from error

    async def ready(self, entry: ModelEntry) -> Path:
        """The path of a model's file that may be given to native code now.

        Its header is checked, and its digest again unless the file is untouched since the last check.

        Raises:
            DownloadError: when it is not here.
            IntegrityError: when it changed; it goes to the quarantine.
        """
        record = self._installed(entry)
        for name, known in record.files.items():
            file = self._folder / entry.name / name
            try:
                if known.identity != FileIdentity.of(file):
                    await self._check(entry, record, name)
            except OSError as error:
                raise DownloadError(f"{file} cannot be read: {error.strerror}.", _pull(entry)) from error
            await asyncio.to_thread(check_format, file)
        return self._folder / entry.name / record.main

    async def verify(self, entry: ModelEntry, on_progress: OnProgress | None = None) -> Verification:
        """Reads a model's files again, whatever is known of them.

        Raises:
            DownloadError: when they are not here.
            IntegrityError: when one is not what it was; it goes to the quarantine.
        """
        record = self._installed(entry)
        for name in record.files:
            file = self._folder / entry.name / name
            try:
                await self._check(entry, record, name, on_progress)
            except OSError as error:
                raise DownloadError(f"{file} cannot be read: {error.strerror}.", _pull(entry)) from error
            await asyncio.to_thread(check_format, file)
        path = self._folder / entry.name / record.main
        return Verification(entry.name, path, record.files[record.main].sha256, record.pinned)

    def remove(self, entry: ModelEntry) -> bool:
        """Deletes a model's files, what came of a download that was broken off, and blobs that no other model uses.

        Returns:
            Whether the model was here.

        Raises:
            DownloadError: when it is being fetched at this moment, or cannot be deleted.
        """
        from filelock import Timeout

        folder = self._folder / entry.name
        try:
            with self._lock(entry.name).acquire(blocking=False), self._lock(_BLOBS_LOCK):
                here = folder.is_dir()
                if here:
                    shutil.rmtree(folder)
                for file in entry.files():
                    part = self._part(file)
                    part.unlink(missing_ok=True)
                    part.with_name(part.name + ".json").unlink(missing_ok=True)
                    self._discard_kept(file)
                used = {link.resolve() for link in self._folder.glob("*/*") if link.is_symlink()}
                for blob in self._blobs.glob("sha256-*"):
                    if blob.resolve() not in used:
                        blob.unlink()
        except Timeout as error:
            raise DownloadError(f"{entry.name} is being fetched at this moment.", "Cancel that first.") from error
        except OSError as error:
            raise DownloadError(f"{folder} cannot be deleted: {error.strerror}.", "Check its permissions.") from error
        self._imported.forget(entry.name)
        return here

    async def import_file(self, path: Path, name: str) -> ModelEntry:
        """Takes a GGUF file into the store (a split one by its first part) and into the catalogue of imported models.

        Raises:
            InvalidRequestError: when the name cannot be a model's name.
            IntegrityError: when the file is not sound.
            DownloadError, DiskFullError: when it cannot be read or copied.
        """
        path = path.expanduser().absolute()
        if not path.is_file():
            raise DownloadError(f"There is no file {path}.")
        if path.suffix != ".gguf":
            raise IntegrityError(f"{path.name} does not end in .gguf.", "Only GGUF files can be run.")
        await asyncio.to_thread(check_format, path)
        entry = ModelEntry(name=name, source=f"path:{path}", size=path.stat().st_size, description="imported")
        problem = entry.problem()
        if problem:
            raise InvalidRequestError(f"{problem[0].upper()}{problem[1:]}.", "Choose another with --name.")
        if read_record(self._folder / name) is not None:
            raise InvalidRequestError(
                f"A model called {name} is here already.",
                f"Choose another name with --name, or first run: playground models remove {name}",
            )
        stored = await self.fetch(entry, lambda progress: None)
        entry = msgspec.structs.replace(entry, sha256=self.digest_of(entry), size=stored.stat().st_size)
        self._imported.remember(entry)
        return entry

    # Fetching

    def _lock(self, name: str) -> FileLock:
        """A lock across processes; it is gone when its process is."""
        from filelock import FileLock

        folder = self._folder / "locks"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return FileLock(folder / f"{name}.lock", is_singleton=False)

    @asynccontextmanager
    async def _alone(self, name: str, on_wait: Callable[[], None]) -> AsyncIterator[None]:
        from filelock import Timeout

        lock = self._lock(name)
        while True:
            try:
                lock.acquire(blocking=False)
                break
            except Timeout:
                on_wait()
                await asyncio.sleep(_LOCK_POLL_S)
        try:
            yield
        finally:
            lock.release()

    async def _fetch_files(self, entry: ModelEntry, report: Report) -> Path:
        folder = self._folder / entry.name
        for needed in (self._blobs, self._folder / "partial", folder):
            needed.mkdir(mode=0o700, parents=True, exist_ok=True)
        files: dict[str, StoredFile] = {}
        for number, file in enumerate(entry.files()):
            # Two names may share a source: whoever comes second waits, and finds the blob done.
            async with self._alone(_PART_LOCK + _key(file), lambda: report("waiting", 0, None)):
                digest = await self._fetch_file(entry, file, entry.size if number == 0 else None, report)
            files[file.name] = StoredFile(digest, FileIdentity.of(folder / file.name))
        record = Record(files, next(iter(files)), pinned=entry.sha256 is None, source=entry.source)
        write_record(folder, record)
        for file in entry.files():
            self._discard_kept(file)
        return folder / record.main

    async def _fetch_file(self, entry: ModelEntry, file: ModelFile, size: int | None, report: Report) -> str:
        """Brings one file into the blobs and into the model's folder; gives its digest."""
        link = self._folder / entry.name / file.name
        if file.sha256 is not None and await self._is_sound(file.sha256, report):
            await asyncio.to_thread(self._link, link, file.sha256)
            return file.sha256
        source, part = source_of(file.source), self._part(file)
        room = None if size is None else source.room(size)
        require_room(entry.name, self._folder, part, room)
        try:
            digest = await source.fetch(part, self._policy, report)
            if file.sha256 is not None:
                check_digest(Path(file.name), entry.name, expected=file.sha256, found=digest)
            await asyncio.to_thread(check_format, part)
        except IntegrityError:
            self._quarantine(part)
            self._discard_kept(file)
            raise
        except DiskFullError as error:
            raise no_room(entry.name, self._folder, part, room) from error
        await asyncio.to_thread(self._keep, part, digest, link)
        return digest

    async def _is_sound(self, digest: str, report: Report) -> bool:
        """Whether a blob is here and is what its name says; one that is not is taken away."""
        blob = self._blob(digest)
        if not blob.is_file():
            return False
        size = blob.stat().st_size
        if await sha256_of(blob, lambda done: report("verifying", done, size)) == digest:
            return True
        self._quarantine(blob)
        return False

    def _part(self, file: ModelFile) -> Path:
        """Where a file is gathered; files of one source share it."""
        return self._folder / "partial" / f"{_key(file)}-{source_of(file.source).file_name}"

    def _discard_kept(self, file: ModelFile) -> None:
        """Deletes what a source kept for later; another model's download that shares it fetches it anew."""
        for kept in source_of(file.source).kept(self._part(file)):
            kept.unlink(missing_ok=True)

    def _keep(self, part: Path, digest: str, link: Path) -> None:
        """Moves a whole and checked file among the blobs, so that it is there wholly or not at all, and links to it."""
        part.chmod(0o600)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        with self._lock(_BLOBS_LOCK):
            part.replace(self._blob(digest))
            _sync_folder(self._blobs)
            self._link(link, digest)
        part.with_name(part.name + ".json").unlink(missing_ok=True)

    def _quarantine(self, path: Path) -> None:
        if path.is_file():
            folder = self._folder / "quarantine"
            folder.mkdir(mode=0o700, exist_ok=True)
            path.replace(folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{path.name}")
        path.with_name(path.name + ".json").unlink(missing_ok=True)

    def _link(self, link: Path, digest: str) -> None:
        fresh = link.with_name(link.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path("..") / "blobs" / self._blob(digest).name)
        fresh.replace(link)

    def _blob(self, digest: str) -> Path:
        return self._blobs / f"sha256-{digest}"

    # Checking

    def _record(self, entry: ModelEntry) -> Record | None:
        """What is known of an entry's files, if all of them are here and are those that the entry means."""
        folder = self._folder / entry.name
        record = read_record(folder)
        if record is None or not all((folder / name).is_file() for name in {*record.files, *entry.also}):
            return None
        digests = {file.name: file.sha256 for file in entry.files() if file.sha256 is not None}
        if any(name not in record.files or record.files[name].sha256 != digests[name] for name in digests):
            return None
        return record if entry.sha256 is not None or record.source in ("", entry.source) else None

    def _installed(self, entry: ModelEntry) -> Record:
        record = self._record(entry)
        if record is None:
            raise DownloadError(f"{entry.name} is not on this machine.", _pull(entry))
        return record

    async def _check(self, entry: ModelEntry, record: Record, name: str, on_progress: OnProgress | None = None) -> None:
        """Computes a file's digest again and notes that it is sound, or takes it out of use."""
        file = self._folder / entry.name / name
        identity = FileIdentity.of(file)
        meter = Meter()

        def done(count: int) -> None:
            if on_progress is not None:
                on_progress(meter.at("verifying", count, identity.size))

        found = await sha256_of(file, done)
        known_from = "the catalogue" if entry.sha256 else "what was pinned on the first download"
        try:
            check_digest(file, entry.name, expected=record.files[name].sha256, found=found, known_from=known_from)
        except IntegrityError:
            self._quarantine(file.resolve())
            raise
        known = read_record(self._folder / entry.name) or record
        # Sound it is, whether that can be noted or not: on a full disk, or in a folder that somebody else looks after,
        # it is read again before the next use.
        with suppress(DiskFullError, DownloadError):
            write_record(self._folder / entry.name, known.with_file(name, StoredFile(found, identity)))


def _key(file: ModelFile) -> str:
    return hashlib.sha256(file.source.encode()).hexdigest()[:24]


def _pull(entry: ModelEntry) -> str:
    return f"Run: playground models pull {entry.name}"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
