"""`playground transcribe`: real recordings of real speech, by the real model; and files that are no recordings."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tests.beside import beside
from tests.conftest import install
from tests.engine.speech import say, silence
from tests.routing.scripted import endpoint
from tests.voice.measuring import errors, words
from tests.voice.sentences import SENTENCES
from tests.voice.speech_server import speech_server
from tests.voice.virtual_microphone import wav

SAID = " ".join(SENTENCES[:3])


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pcm = b"".join(say(sentence, "en-us") + silence(0.3) for sentence in SENTENCES[:3])
    return wav(pcm, tmp_path_factory.mktemp("recording") / "Talk.wav")


@pytest.fixture
def transcribe(run_cli, home, speech_model):
    install(home, speech_model)
    return lambda *args, **more: run_cli("transcribe", *map(str, args), **more)


def converted(recording: Path, path: Path, codec: str, rate: int) -> Path:
    import av

    with av.open(str(recording)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream(codec, rate=rate)
        resampler = av.AudioResampler(format=stream.codec_context.format, layout="stereo", rate=rate)
        stream.codec_context.layout = "stereo"
        for frame in [*source.decode(audio=0), None]:
            for part in resampler.resample(frame):
                target.mux(stream.encode(part))
        target.mux(stream.encode(None))
    return path


def is_right(text: str) -> bool:
    return errors(SAID, text) <= len(words(SAID)) * 0.1


@pytest.mark.parametrize(("suffix", "codec", "rate"), [("flac", "flac", 44_100), ("mp3", "libmp3lame", 48_000)])
def test_forms_of_recordings(transcribe, recording, tmp_path, suffix, codec, rate):
    result = transcribe(converted(recording, tmp_path / f"talk.{suffix}", codec, rate), "-l", "en")
    assert result.exit_code == 0, result.stderr
    assert is_right(result.stdout)


def test_text_with_times_and_subtitles_and_json(transcribe, tmp_path):
    said = wav(say(SENTENCES[0], "en-us"), tmp_path / "Said.wav")
    result = transcribe(said, "--timestamps", "-l", "en")
    assert result.stdout.startswith("[00:00:00.000 --> 00:00:0")
    assert transcribe(said, "-f", "srt", "-o", tmp_path / "a.srt", "-l", "en").stdout == ""
    assert (tmp_path / "a.srt").read_text().startswith("1\n00:00:00,000 --> ")
    result = transcribe(said, said, "-f", "vtt", "-o", tmp_path, "-l", "en")
    assert (tmp_path / "Said.vtt").read_text().startswith("WEBVTT\n\n00:00:00.000 --> ")
    found = json.loads(transcribe("-", "-f", "json", "--words", piped=b"").stdout or "{}")
    assert found == {}


def test_standard_input_as_json_with_words(start, home, speech_model, recording):
    install(home, speech_model)
    process = start("transcribe", str(recording), "-f", "json", "--words")
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    found = json.loads(out)
    assert is_right(found["text"])
    assert found["language"] == "en"
    assert found["complete"] is True
    assert found["duration"] == pytest.approx(
        sum(len(say(text, "en-us")) / 64_000 + 0.3 for text in SENTENCES[:3]), abs=0.1
    )
    assert found["segments"][0]["words"][0]["start"] < 1


def test_what_is_no_recording_is_one_clear_line_each_and_the_good_one_is_still_done(transcribe, recording, tmp_path):
    (tmp_path / "garbage.mp3").write_bytes(random.Random(1).randbytes(20_000))
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "list.m3u8").write_text(f"#EXTM3U\n#EXTINF:10,\nfile://{recording}\n")
    (tmp_path / "list.ffconcat").write_text(f"ffconcat version 1.0\nfile '{recording}'\n")
    bad = ["garbage.mp3", "empty.wav", "list.m3u8", "list.ffconcat", "missing.wav", "."]
    result = transcribe(*[tmp_path / name for name in bad], recording, "-l", "en")
    assert result.exit_code == 1
    lines = result.stderr.strip().splitlines()
    assert len(lines) == len(bad), result.stderr
    assert all(line.startswith("playground: ") and "Traceback" not in line for line in lines)
    assert "missing.wav cannot be opened: No such file" in result.stderr
    assert is_right(result.stdout.partition("Talk.wav ==")[2])


def test_nothing_is_fetched_for_what_is_no_recording(run_cli, home, tmp_path):
    (tmp_path / "notes.wav").write_text("no sound")
    result = run_cli("transcribe", str(tmp_path / "missing.wav"), str(tmp_path / "notes.wav"))
    assert (result.exit_code, result.stdout) == (1, "")
    first, second = result.stderr.strip().splitlines()
    assert "missing.wav cannot be opened: No such file" in first
    assert "notes.wav is no recording" in second
    assert not list(home.glob("models/**/*.whl*"))


def test_a_recording_that_is_cut_off_gives_what_there_is(transcribe, recording, tmp_path):
    flac = converted(recording, tmp_path / "talk.flac", "flac", 16_000)
    whole = flac.read_bytes()
    flac.write_bytes(whole[: len(whole) // 2])
    result = transcribe(flac, "-l", "en")
    assert "weather" in result.stdout
    assert result.exit_code == 1
    assert "is damaged at" in result.stderr


def test_silence_is_no_text(transcribe, tmp_path):
    result = transcribe(wav(silence(3), tmp_path / "quiet.wav"))
    assert (result.exit_code, result.stdout) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--words"], "--words is for -f json"),
        (["x.wav", "-f", "srt"], "need a folder"),
        (["x.wav", "-o", "nowhere"], "is no folder"),
    ],
)
def test_what_does_not_go_together_is_refused(transcribe, recording, arguments, words):
    result = transcribe(recording, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_other_models_and_languages_are_refused_by_name(transcribe, recording):
    result = transcribe(recording, "-m", "smollm2-135m")
    assert "smollm2-135m is for chat, not for transcription" in result.stderr
    result = transcribe(recording, "-l", "klingon")
    assert result.exit_code == 1
    assert "'klingon' is not known" in result.stderr


def test_ctrl_c_keeps_what_was_written_until_then(start, home, speech_model, tmp_path):
    install(home, speech_model)
    minutes = np.tile(np.frombuffer(b"".join(say(text, "en-us") for text in SENTENCES[:4]), np.float32), 6)
    process = start("transcribe", str(wav(minutes.tobytes(), tmp_path / "long.wav")), "-l", "en")
    assert process.stdout is not None
    first = process.stdout.readline()
    assert b"weather" in first
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _rest, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Ended after 00:00:" in err
    assert b"Traceback" not in err
    assert time.monotonic() - began < 10


def test_a_model_elsewhere_writes_down_what_it_may(start, environ, home, recording):
    with beside(speech_server()) as there:
        (home / "config").mkdir(exist_ok=True)
        table = endpoint("office", url=there.url, key="env:SPEECH_KEY", redact=False)
        (home / "config" / "models.toml").write_text(
            f'{table}[remote.listener]\nendpoint = "office"\nrole = "transcribe"\n'
        )
        command = ("transcribe", "-m", "listener", str(recording))

        def run(*args: str) -> tuple[int, str, str]:
            process = start(*args, SPEECH_KEY="sk-abcdef123456")
            out, err = process.communicate(timeout=60)
            return process.returncode, out.decode(), err.decode()

        assert run(*command) == (0, "the tide came in\n", "")
        assert there.sent[0].key == "Bearer sk-abcdef123456"
        assert 8 < there.sent[0].seconds < 16
        status, subtitles, _ = run(*command, "-f", "srt")
        assert status == 0
        assert subtitles.startswith("1\n00:00:00,000 --> 00:00:0")
        assert there.sent[1].fields["response_format"] == "verbose_json"
        status, out, err = run(*command, "-f", "json", "--words")
        assert (status, out) == (1, "")
        assert "does not tell when each word was said" in err
    before = len(there.sent)
    table = endpoint("office", url="https://speech.example/v1", redact=False)
    (home / "config" / "models.toml").write_text(
        f'{table}[remote.listener]\nendpoint = "office"\nrole = "transcribe"\n'
    )
    status, out, err = run("--local-only", *command)
    assert (status, out) == (1, "")
    assert "Local-only mode is on" in err
    assert len(there.sent) == before
