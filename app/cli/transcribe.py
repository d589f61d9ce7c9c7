"""``playground transcribe``: recordings as text."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from app.engine.speech import Heard, SpeechProgress, SpeechSegment, SpokenLanguage, TranscribeOptions
from app.errors import DiskFullError, InvalidRequestError, PlaygroundError
from app.messages import Waiting
from app.playground import Playground
from app.privacy.terminal import clean
from app.voice.recordings import Recording, open_recording
from app.voice.subtitles import clock, srt, vtt

from .fetching import fetch
from .interrupts import INTERRUPTED
from .session import Session, report, reporting_errors

if TYPE_CHECKING:
    from app.engine.catalogues.catalogue import ModelEntry
    from app.routing.transcribing import RemoteTranscription

Form = Literal["text", "json", "srt", "vtt"]
_SUFFIXES = {"text": ".txt", "json": ".json", "srt": ".srt", "vtt": ".vtt"}
_PLAIN_PROGRESS_SECONDS = 300


@dataclass
class _Transcript:
    """What has come of one recording so far."""

    name: str
    language: str = ""
    seconds: float = 0.0
    segments: list[SpeechSegment] = field(default_factory=list)
    complete: bool = False


@dataclass(frozen=True)
class _Asked:
    """The command line: what, how, and where to."""

    model: str | None
    form: Form
    output: Path | None
    timestamps: bool
    options: TranscribeOptions
    several: bool

    def target(self, name: str) -> Path | None:
        """The file for a recording's text; None is standard output."""
        if self.output is None or not self.output.is_dir():
            return self.output
        return self.output / f"{Path(name).stem if name != '-' else 'standard-input'}{_SUFFIXES[self.form]}"


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("-m", "--model", help="Who writes down what is said; else the setting voice.model.")
@click.option("-l", "--language", help="What is spoken, such as en or de; else it is found out.")
@click.option("--translate", is_flag=True, help="Write it in English, whatever is spoken.")
@click.option("-f", "--format", "form", type=click.Choice(list(_SUFFIXES)), default="text", show_default=True)
@click.option("--timestamps", is_flag=True, help="Write before each line of text when it was said.")
@click.option("--words", is_flag=True, help="In JSON, tell when each word was said.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file, or for several recordings a folder.")
@click.pass_obj
@reporting_errors
def transcribe(
    session: Session,
    files: tuple[str, ...],
    model: str | None,
    language: str | None,
    translate: bool,
    form: Form,
    timestamps: bool,
    words: bool,
    output: Path | None,
) -> None:
    """Write down what is said in recordings: wav, flac, mp3 and others. "-" is standard input.

    Ctrl-C ends it and keeps what was written down until then. Nothing leaves this machine, unless you name a remote
    model.
    """
    if len(files) > 1 and output is not None and not output.is_dir():
        raise click.UsageError(f"{output} is no folder; several recordings need one.")
    if len(files) > 1 and output is None and form in ("srt", "vtt"):
        raise click.UsageError(f"Several recordings as {form} need a folder: -o FOLDER.")
    if words and form != "json":
        raise click.UsageError("--words is for -f json.")
    options = TranscribeOptions(language=language, translate=translate, words=words)
    asked = _Asked(model, form, output, timestamps, options, len(files) > 1)
    failed = session.run(lambda playground: _transcribe(playground, files, asked))
    sys.exit(1 if failed else 0)


async def _transcribe(playground: Playground, files: tuple[str, ...], asked: _Asked) -> bool:
    """Each recording in turn; gives whether one failed. A bad one does not keep the others from their turn."""
    model = asked.model or playground.settings.voice.model
    if asked.options.language is None and playground.settings.voice.language and not asked.options.translate:
        import msgspec

        spoken = msgspec.structs.replace(asked.options, language=playground.settings.voice.language)
        asked = _Asked(asked.model, asked.form, asked.output, asked.timestamps, spoken, asked.several)
    remote = playground.remote_transcription(model)
    if remote is not None:
        if asked.options.words:
            raise InvalidRequestError(
                f"{model} is elsewhere, and does not tell when each word was said.", "Leave out --words."
            )
        remote.require()  # before anything is read
    else:
        entry = _of_this_machine(playground, model)
        if playground.store.path_of(entry) is None and not await _any_readable(files):
            return True
        await fetch(playground, entry)
    failed = False
    for name in files:
        transcript = _Transcript(name)
        try:
            await _one(playground, remote, model, transcript, asked)
        except PlaygroundError as error:
            failed = True
            if transcript.segments:
                _deliver(transcript, asked)
            report(error)
        except asyncio.CancelledError:
            _deliver(transcript, asked)
            click.echo(f"Ended after {clock(_heard_until(transcript))} of {clean(name)}.", err=True)
            sys.exit(INTERRUPTED)
        else:
            _deliver(transcript, asked)
            failed = failed or not transcript.complete
    return failed


def _of_this_machine(playground: Playground, model: str) -> ModelEntry:
    """The model as the catalogue describes it.

    Raises:
        PlaygroundError: when there is none of this name, or it is for something else.
    """
    entry = playground.catalogue.get(model)
    if entry.role != "transcribe":
        raise InvalidRequestError(
            f"{model} is for {entry.role}, not for transcription.", "`playground models list` shows which model is."
        )
    return entry


async def _any_readable(files: tuple[str, ...]) -> bool:
    """Whether a large download would be for something; says what is wrong with the files where it would not."""
    wrong: list[PlaygroundError] = []
    for name in files:
        if name == "-":
            return True
        try:
            async with open_recording(Path(name)):
                return True
        except PlaygroundError as error:
            wrong.append(error)
    for one in wrong:
        report(one)
    return False


async def _one(
    playground: Playground, remote: RemoteTranscription | None, model: str, transcript: _Transcript, asked: _Asked
) -> None:
    streams = asked.form == "text" and asked.target(transcript.name) is None
    if streams and asked.several:
        click.echo(f"== {clean(transcript.name)} ==")
    line = _ProgressLine(transcript.name)
    try:
        async with open_recording(None if transcript.name == "-" else Path(transcript.name)) as recording:
            line.show("Reading")
            if remote is None:
                events = playground.pool.transcribe(model, recording.samples(), asked.options)
            else:
                line.show("Sending")
                events = _elsewhere(remote, recording, asked)
            async with aclosing(events):
                async for event in events:
                    match event:
                        case Waiting():
                            line.show("Loading the model")
                        case SpokenLanguage(language):
                            transcript.language = language
                        case SpeechProgress(done, total):
                            transcript.seconds = total
                            line.progress(done, total)
                        case SpeechSegment():
                            transcript.segments.append(event)
                            if streams:
                                line.clear()
                                click.echo(_line(event, timestamps=asked.timestamps))
            transcript.complete = not recording.damaged
            if recording.damaged:
                line.clear()
                name = clean(transcript.name)
                click.echo(f"{name} is damaged at {clock(transcript.seconds)}: what comes before is here.", err=True)
    finally:
        line.clear()


def _elsewhere(remote: RemoteTranscription, recording: Recording, asked: _Asked) -> AsyncGenerator[Heard, None]:
    from app.backends.openai.transcribing import MOST_SECONDS
    from app.voice.remote_recordings import transcribed_elsewhere

    timed = asked.form != "text" or asked.timestamps
    return transcribed_elsewhere(
        remote, recording.samples(), asked.options, seconds=recording.seconds, timed=timed, piece_s=MOST_SECONDS
    )


def _deliver(transcript: _Transcript, asked: _Asked) -> None:
    """Writes out what was not yet written while it came."""
    target = asked.target(transcript.name)
    text = _written(transcript, asked)
    if target is None:
        if asked.form != "text":
            click.echo(text, nl=False)
        return
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DiskFullError(f"{target} cannot be written: {error.strerror}.", "Name another file with -o.") from error


def _written(transcript: _Transcript, asked: _Asked) -> str:
    match asked.form:
        case "srt":
            return clean(srt(transcript.segments))
        case "vtt":
            return clean(vtt(transcript.segments))
        case "json":
            return _json(transcript) + "\n"
        case _:
            return "".join(_line(segment, timestamps=asked.timestamps) + "\n" for segment in transcript.segments)


def _line(segment: SpeechSegment, *, timestamps: bool) -> str:
    text = clean(segment.text)
    return f"[{clock(segment.start)} --> {clock(segment.end)}] {text}" if timestamps else text


def _json(transcript: _Transcript) -> str:
    """One object a recording, on one line; everything beyond ASCII is escaped."""
    segments = []
    for segment in transcript.segments:
        told: dict[str, object] = {"start": segment.start, "end": segment.end, "text": segment.text}
        if segment.words:
            told["words"] = [
                {"start": word.start, "end": word.end, "word": word.text.strip(), "probability": word.probability}
                for word in segment.words
            ]
        segments.append(told)
    return json.dumps(
        {
            "file": transcript.name,
            "language": transcript.language or None,
            "duration": transcript.seconds,
            "complete": transcript.complete,
            "text": " ".join(segment.text for segment in transcript.segments),
            "segments": segments,
        }
    )


def _heard_until(transcript: _Transcript) -> float:
    return transcript.segments[-1].end if transcript.segments else 0.0


class _ProgressLine:
    """How far it is, on standard error: a line that changes on a terminal, elsewhere a line every five minutes."""

    def __init__(self, name: str) -> None:
        self._name = clean(Path(name).name if name != "-" else "standard input")
        self._live = sys.stderr.isatty()
        self._painted = False
        self._told = 0.0

    def show(self, words: str) -> None:
        """What is being done."""
        if self._live:
            self._painted = True
            click.echo(f"\r\x1b[K{words}: {self._name}…", err=True, nl=False)

    def progress(self, done: float, total: float) -> None:
        """Seconds of the recording that are written down, of all."""
        words = f"{clock(done)[:-4]} of {clock(total)[:-4]}, {done / total:.0%}" if total else ""
        if self._live:
            self.show(f"Writing down, {words}")
        elif done - self._told >= _PLAIN_PROGRESS_SECONDS:
            self._told = done
            click.echo(f"{self._name}: {words}", err=True)

    def clear(self) -> None:
        """Takes the line away."""
        if self._painted:
            self._painted = False
            click.echo("\r\x1b[K", err=True, nl=False)
