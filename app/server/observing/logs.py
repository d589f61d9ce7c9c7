"""The server's log: a line an event, for people or as JSON for programs.

A thread of its own writes, so that a reader who does not read holds nobody up. Every line is one line, whatever a
client put into a name; secrets are masked; prompts, answers and keys never come here.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import queue
import re
import sys
import time
import traceback
from pathlib import Path
from typing import Any, TextIO

import msgspec
from msgspec import UNSET, Struct, UnsetType

from app.errors import SettingsError
from app.privacy.masking import Masker
from app.server.log_lines import one_line
from app.settings.observability import ObservabilitySettings

from .reports import source_place

FILE = "server.log"
_FILE_BYTES = 8 * 1024 * 1024
_FILES = 4
_MOST_WAITING = 20_000
_TOGETHER_S = 0.2
_OURS = ("app", "uvicorn")
_LOOSE = re.compile(r"[\x7f-\x9f\u2028\u2029]")


class AccessLine(Struct, frozen=True, omit_defaults=True):
    """What is logged of a request.

    Attributes:
        route: the template of its path.
        seconds: from its head to the end of its answer.
        first_token_s: until the model's first token.
        key: the id of who asked; no secret.
    """

    request: str
    method: str
    route: str
    status: int
    protocol: str
    seconds: float
    address: str = ""
    key: str = ""
    model: str = ""
    first_token_s: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    error: str = ""


class _Line(Struct):
    time: str
    level: str
    logger: str
    message: str | UnsetType = UNSET
    access: AccessLine | UnsetType = UNSET
    error: str | UnsetType = UNSET
    traceback: list[str] | UnsetType = UNSET


class ServerLog:
    """Where the program's log lines go while the server runs.

    Args:
        chosen: the settings.
        folder: for ``server.log``.
        masker: knows the secrets that must not be written.
        stream: written to when that is what was chosen; the process's stderr if none is given.

    Raises:
        SettingsError: when the file cannot be written.
    """

    def __init__(
        self, chosen: ObservabilitySettings, folder: Path, masker: Masker, stream: TextIO | None = None
    ) -> None:
        level = getattr(logging, chosen.log_level.upper())
        self._target = _target(chosen, folder, stream)
        formatter = _Json if chosen.log_format == "json" else _Pretty
        self._target.setFormatter(formatter(masker, whole=level <= logging.DEBUG))
        self._queue: queue.Queue[logging.LogRecord] = queue.Queue(_MOST_WAITING)
        self._handler = _Hand(self._queue)
        self._listener = _Listener(self._queue, self._target)
        self.wants_access = chosen.access_log and level <= logging.INFO
        self._before: list[tuple[logging.Logger, int, bool]] = []
        self._level = level
        self._blank = vars(logging.LogRecord("app.server.access", logging.INFO, "", 0, "", None, None))

    def start(self) -> None:
        """Takes over the lines of the program and of the web server under it."""
        self._listener.start()
        for name in _OURS:
            logger = logging.getLogger(name)
            self._before.append((logger, logger.level, logger.propagate))
            # The web server's own notes of starting and ending are no news beside the lines on the screen.
            logger.setLevel(self._level if name == "app" else max(self._level, logging.WARNING))
            logger.propagate = False
            logger.addHandler(self._handler)

    def access(self, line: AccessLine) -> None:
        """Logs a request; only where ``wants_access``."""
        level = logging.INFO if line.status < 500 else logging.ERROR
        # Made by hand: the logger would look for the calling line, and a new record for its process and thread, which
        # takes longer than all the rest. It has no arguments that the handler would have to put in.
        record = logging.LogRecord.__new__(logging.LogRecord)
        record.__dict__.update(self._blank)
        record.levelno, record.levelname = level, logging.getLevelName(level)
        record.created, record.access = time.time(), line
        self._handler.enqueue(record)

    def close(self) -> None:
        """Writes what waits, and gives the lines back to who had them. Safe to call twice."""
        for logger, level, propagate in self._before:
            logger.removeHandler(self._handler)
            logger.setLevel(level)
            logger.propagate = propagate
        if self._before:
            self._before.clear()
            self._listener.stop()
        self._target.close()


class _Hand(logging.handlers.QueueHandler):
    """Hands records to the thread that writes; what it cannot take any more is lost and counted."""

    lost = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """The record as it is now: what its arguments refer to may change before it is written."""
        if record.args:
            record.msg, record.args = record.getMessage(), None
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        """Puts a record into the queue, if there is room; the next that fits says how many did not."""
        try:
            if self.lost:
                words = f"{self.lost} lines could not be written: nobody reads them as fast as they come."
                self.queue.put_nowait(logging.LogRecord(__name__, logging.WARNING, "", 0, words, None, None))
                self.lost = 0
            self.queue.put_nowait(record)
        except queue.Full:
            self.lost += 1


class _Listener(logging.handlers.QueueListener):
    """Writes what has come every now and then: waking up for each line would hold up the answers."""

    def dequeue(self, block: bool) -> logging.LogRecord:
        """The next record; after an idle time only once others may have joined it."""
        try:
            return self.queue.get_nowait()  # type: ignore[attr-defined,no-any-return]
        except queue.Empty:
            found: logging.LogRecord = self.queue.get(block)  # type: ignore[call-arg]
            if found is not None:
                time.sleep(_TOGETHER_S)
            return found


class _Lines(logging.Formatter):
    """Both formats have this in common.

    Args:
        masker: knows the secrets.
        whole: whether errors are written with their messages, which may quote what a client sent.
    """

    def __init__(self, masker: Masker, *, whole: bool) -> None:
        super().__init__()
        self._masker, self._whole = masker, whole

    def _words(self, text: str) -> str:
        return self._masker.text(one_line(text))

    def _access(self, line: AccessLine) -> AccessLine:
        """As it may be written: a client can put anything where the name of a model belongs, a key too."""
        model = self._masker.name(line.model)
        return line if model == line.model else msgspec.structs.replace(line, model=model)

    def _named(self, error: BaseException) -> str:
        name = type(error).__qualname__
        return self._words(f"{name}: {error}") if self._whole else name


class _Json(_Lines):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line = _Line(_moment(record.created, "T"), record.levelname.lower(), record.name)
        access = getattr(record, "access", None)
        if access is not None:
            line.access = self._access(access)
        else:
            line.message = self._words(record.getMessage())
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line.error, line.traceback = self._named(error), _places(error)
        # What JSON lets stand, though some programs take it for the end of a line.
        return _LOOSE.sub(lambda found: f"\\u{ord(found[0]):04x}", msgspec.json.encode(line).decode())


class _Pretty(_Lines):
    """A line for people; places of an error below it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        access = getattr(record, "access", None)
        said = _said(self._access(access)) if access is not None else self._words(record.getMessage())
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        text = f"{_moment(record.created, ' ')} {level}{said}"
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            text = "\n  ".join((text, *_places(error), self._named(error)))
        return text


def _said(line: AccessLine) -> str:
    words = [f"{line.method} {one_line(line.route)} {line.status} {line.seconds:.3f} s"]
    if line.first_token_s is not None:
        words.append(f"first token {line.first_token_s:.3f} s")
    if line.model:
        words.append(f"{line.prompt_tokens} + {line.completion_tokens} tokens of {one_line(line.model)}")
    if line.error:
        words.append(line.error)
    if line.key:
        words.append(f"for {one_line(line.key)}")
    return ", ".join(words)


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{source_place(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _moment(seconds: float, between: str) -> str:
    here = time.localtime(seconds)
    text = time.strftime(f"%Y-%m-%d{between}%H:%M:%S", here)
    return f"{text}.{int(seconds % 1 * 1000):03d}" + (time.strftime("%z", here) if between == "T" else "")


def _target(chosen: ObservabilitySettings, folder: Path, stream: TextIO | None) -> logging.Handler:
    if chosen.log_to == "stderr":
        return logging.StreamHandler(stream or sys.stderr)
    path = folder / FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # For its owner alone from the first byte on: it says who asked when.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        made: logging.Handler = _Turning(path, maxBytes=_FILE_BYTES, backupCount=_FILES, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"The server's log {path} cannot be written: {error.strerror or error}.",
            'Set observability.log_to to "stderr", or free the file.',
        ) from error
    return made


class _Turning(logging.handlers.RotatingFileHandler):
    """A log of bounded size; each of its files is for its owner alone."""

    def _open(self) -> Any:
        return open(self.baseFilename, self.mode, encoding=self.encoding, opener=_private)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
