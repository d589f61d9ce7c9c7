"""Model files on this machine: fetched once, named by their digest, checked before use.

Below the models' folder lie ``blobs/sha256-…``, the files themselves; ``NAME/``, a folder a model with links to its
blobs and a record of what was checked; ``partial/``, what is on its way; ``quarantine/``, what came wrong.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from app.errors import DiskFullError, DownloadError, IntegrityError, InvalidRequestError
from app.privacy.connections import ConnectionPolicy

from .catalogue import Catalogue, ModelEntry
from .download import disk_error
from .integrity import FileIdentity, check_digest, check_format, sha256_of
from .progress import Meter, Progress, Stage

_SPARE_BYTES = 64 * 1024 * 1024
"""Room that a download leaves on the disk for everybody else."""

_SPLIT = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<suffix>\.gguf)")
_FRAGMENT = re.compile(r"(?P<source>.*?)(?:#sha256=(?P<digest>[0-9a-f]{64}))?")
_LOCK_POLL_S = 0.1

OnProgress = Callable[[Progress], None]


class StoredFile(Struct, frozen=True):
    """What is known of one file: its digest, and its identity when that was last computed."""

    sha256: str
    identity: FileIdentity | None = None


class Record(Struct, frozen=True):
    """What is known of a model's files, by name; ``pinned`` when the catalogue did not know the digest."""

    files: dict[str, StoredFile]
    main: str
    pinned: bool


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

    @property
    def imported_catalogue(self) -> Path:
        """The catalogue of files that the user brought."""
        return self._folder / "imported.toml"

    def path_of(self, entry: ModelEntry) -> Path | None:
        """Where a model's file is, if all of it is here; it may still need checking: see ``ready``."""
        record = self._record(entry)
        if record is None or (entry.sha256 is not None and record.files[record.main].sha256 != entry.sha256):
            return None
        folder = self._folder / entry.name
        if not all((folder / name).is_file() for name in record.files):
            return None
        return folder / record.main

    def digest_of(self, entry: ModelEntry) -> str | None:
        """The sha256 that a model's file had when it was last checked, if it is here."""
        record = self._record(entry) if self.path_of(entry) else None
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
        meter = Meter()

        def report(stage: Stage, done: int, total: int | None) -> None:
            on_progress(meter.at(stage, done, total))

        async with self._alone(entry, lambda: report("waiting", 0, None)):
            here = self.path_of(entry)
            if here is not None:
                return here
            self._make_folders(entry)
            files: dict[str, StoredFile] = {}
            sources = _sources(entry)
            for name, source, expected in sources:
                size = entry.size if name == sources[0][0] else None
                digest = await self._fetch_file(entry, source, expected, size, report)
                await asyncio.to_thread(self._link, entry.name, name, digest)
                identity = FileIdentity.of(self._folder / entry.name / name)
                files[name] = StoredFile(digest, identity)
            record = Record(files, sources[0][0], pinned=entry.sha256 is None)
            self._write(self._folder / entry.name / "record.json", msgspec.json.encode(record))
            return self._folder / entry.name / record.main

    async def ready(self, entry: ModelEntry) -> Path:
        """The path of a model's file that may be given to native code now.

        Its header is checked, and its digest again unless the file is untouched since the last check.

        Raises:
            DownloadError: when it is not here.
            IntegrityError: when it changed; it goes to the quarantine.
        """
        path = self.path_of(entry)
        record = self._record(entry)
        if path is None or record is None:
            raise DownloadError(f"{entry.name} is not on this machine.", f"Run: playground models pull {entry.name}")
        for name, known in record.files.items():
            file = self._folder / entry.name / name
            if known.identity != FileIdentity.of(file):
                await self._check(entry, record, name)
            await asyncio.to_thread(check_format, file)
        return path

    async def verify(self, entry: ModelEntry, on_progress: OnProgress | None = None) -> Verification:
        """Reads a model's files again, whatever is known of them.

        Raises:
            DownloadError: when they are not here.
            IntegrityError: when one is not what it was; it goes to the quarantine.
        """
        path, record = self.path_of(entry), self._record(entry)
        if path is None or record is None:
            raise DownloadError(f"{entry.name} is not on this machine.", f"Run: playground models pull {entry.name}")
        for name in record.files:
            await self._check(entry, record, name, on_progress)
            await asyncio.to_thread(check_format, self._folder / entry.name / name)
        return Verification(entry.name, path, record.files[record.main].sha256, record.pinned)

    def remove(self, entry: ModelEntry) -> bool:
        """Deletes a model's files, and blobs that no other model uses; tells whether there was anything."""
        folder = self._folder / entry.name
        if not folder.is_dir():
            return False
        shutil.rmtree(folder)
        used = {link.resolve() for link in self._folder.glob("*/*") if link.is_symlink()}
        for blob in self._blobs.glob("sha256-*"):
            if blob.resolve() not in used:
                blob.unlink()
        return True

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
        stored = await self.fetch(entry, lambda progress: None)
        record = self._record(entry)
        digest = record.files[record.main].sha256 if record else None
        entry = msgspec.structs.replace(entry, sha256=digest, size=stored.stat().st_size)
        self._remember_import(entry)
        return entry

    # Fetching

    @asynccontextmanager
    async def _alone(self, entry: ModelEntry, on_wait: Callable[[], None]) -> AsyncIterator[None]:
        from filelock import FileLock, Timeout

        folder = self._folder / "locks"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(error, folder) from error
        lock = FileLock(folder / f"{entry.name}.lock", is_singleton=False)
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

    async def _fetch_file(
        self,
        entry: ModelEntry,
        source: str,
        expected: str | None,
        size: int | None,
        report: Callable[[Stage, int, int | None], None],
    ) -> str:
        """Brings one file into the blobs; gives its digest."""
        from .sources import source_of

        if expected is not None and self._blob(expected).is_file():
            return expected
        key = hashlib.sha256(source.encode()).hexdigest()[:24]
        part = self._folder / "partial" / f"{key}-{source_of(source).file_name}"
        self._check_room(part, size)
        digest = await source_of(source).fetch(part, self._policy, report)
        try:
            if expected is not None:
                check_digest(part, entry.name, expected, digest)
            await asyncio.to_thread(check_format, part)
        except IntegrityError:
            self._quarantine(part)
            raise
        await asyncio.to_thread(self._keep, part, digest)
        return digest

    def _check_room(self, part: Path, size: int | None) -> None:
        if size is None:
            return
        begun = part.stat().st_size if part.is_file() else 0
        free = shutil.disk_usage(self._folder).free
        need = max(0, size - begun) + _SPARE_BYTES
        if free < need:
            raise DiskFullError(
                f"{part.name} needs {need // 1_000_000} MB in {self._folder}; {free // 1_000_000} MB are free.",
                "Make room, or set PLAYGROUND_HOME to a larger disk.",
            )

    def _keep(self, part: Path, digest: str) -> None:
        """Moves a whole and checked file among the blobs, so that it is there wholly or not at all."""
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.chmod(0o600)
        part.replace(self._blob(digest))
        part.with_name(part.name + ".json").unlink(missing_ok=True)
        _sync_folder(self._blobs)

    def _quarantine(self, path: Path) -> None:
        folder = self._folder / "quarantine"
        folder.mkdir(mode=0o700, exist_ok=True)
        path.replace(folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{path.name}")
        path.with_name(path.name + ".json").unlink(missing_ok=True)

    def _link(self, model: str, file: str, digest: str) -> None:
        link = self._folder / model / file
        fresh = link.with_name(link.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path("..") / "blobs" / self._blob(digest).name)
        fresh.replace(link)

    def _make_folders(self, entry: ModelEntry) -> None:
        for folder in (self._blobs, self._folder / "partial", self._folder / entry.name):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise disk_error(error, folder) from error

    def _blob(self, digest: str) -> Path:
        return self._blobs / f"sha256-{digest}"

    # Checking

    async def _check(self, entry: ModelEntry, record: Record, name: str, on_progress: OnProgress | None = None) -> None:
        """Computes a file's digest again and notes that it is sound, or takes it out of use."""
        file = self._folder / entry.name / name
        identity = FileIdentity.of(file)
        meter = Meter()

        def done(count: int) -> None:
            if on_progress is not None:
                on_progress(meter.at("verifying", count, identity.size))

        found = await asyncio.to_thread(sha256_of, file, done)
        try:
            check_digest(file, entry.name, record.files[name].sha256, found)
        except IntegrityError:
            self._quarantine(file.resolve())
            raise
        known = self._record(entry) or record
        files = {**known.files, name: StoredFile(found, identity)}
        fresh = msgspec.structs.replace(known, files=files)
        self._write(self._folder / entry.name / "record.json", msgspec.json.encode(fresh))

    def _record(self, entry: ModelEntry) -> Record | None:
        try:
            record = msgspec.json.decode((self._folder / entry.name / "record.json").read_bytes(), type=Record)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except msgspec.MsgspecError:
            # Written atomically, so this is not our doing: what it says cannot be trusted, and the model counts as
            # not installed. Its blob is found again by its digest when it is fetched.
            return None
        sound = record.main in record.files and all(Path(name).name == name for name in record.files)
        return record if sound else None

    def _write(self, path: Path, content: bytes) -> None:
        fresh = path.with_name(path.name + ".new")
        try:
            with fresh.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError as error:
            raise disk_error(error, path) from error

    def _remember_import(self, entry: ModelEntry) -> None:
        known = []
        if self.imported_catalogue.is_file():
            known = [e for e in Catalogue.load([self.imported_catalogue]).entries if e.name != entry.name]
        lines = ["# Models that were imported with `playground models import`."]
        for each in (*known, entry):
            lines.append(f"\n[models.{_quoted(each.name)}]")
            for field in ("source", "sha256", "size", "description"):
                value = getattr(each, field)
                if value:
                    lines.append(f"{field} = {value if isinstance(value, int) else _quoted(value)}")
        self._write(self.imported_catalogue, ("\n".join(lines) + "\n").encode())


def _sources(entry: ModelEntry) -> list[tuple[str, str, str | None]]:
    """Name, source and digest of each file that a model consists of, the main one first."""
    from .sources import source_of

    main = source_of(entry.source).file_name
    found = [(main, entry.source, entry.sha256)]
    split = _SPLIT.fullmatch(main)
    if split is not None:
        for number in range(2, int(split["count"]) + 1):
            name = f"{split['stem']}-{number:05}-of-{split['count']}{split['suffix']}"
            found.append((name, entry.source.replace(main, name), None))
    for name, text in entry.also.items():
        fragment = _FRAGMENT.fullmatch(text)
        assert fragment is not None, "the pattern takes every text"
        found.append((name, fragment["source"], fragment["digest"]))
    return found


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are among TOML's."""
    return msgspec.json.encode(text).decode()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
