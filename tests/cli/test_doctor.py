"""`playground doctor`: what is well, what is broken, where settings come from."""

import json
import sys
from functools import partial
from pathlib import Path

import pytest

from app.voice.microphone import Microphone

CAPTURES = Path(__file__).parent.parent / "voice" / "programs" / "captures.py"


@pytest.fixture
def examine(run_cli):
    def run():
        result = run_cli("doctor", "--json")
        report = json.loads(result.stdout)
        return result.exit_code, {found["subject"]: found for found in report["findings"]}, report["settings"]

    return run


def test_a_sound_machine(examine, home_with_starter):
    status, findings, settings = examine()
    assert status == 0
    assert not [found for found in findings.values() if found["state"] == "broken"]
    assert "llama-cpp-python" in findings["Engine"]["found"]
    assert findings["Model"]["found"].startswith("smollm2-135m is here and sound")
    assert settings["engine.context"] == {"value": 0, "from": "default"}


def test_secrets_are_masked_and_numbers_are_none(examine, environ):
    environ["PLAYGROUND_ROUTING__CACHE_REDIS_URL"] = "redis://someone:hidden@127.0.0.1/0"
    _, _, settings = examine()
    assert settings["routing.cache_redis_url"]["value"] == "••••"
    assert settings["access.token_s"]["value"] == 900.0


def test_a_model_that_is_not_here_is_no_fault(examine):
    status, findings, _ = examine()
    assert status == 0
    assert findings["Model"]["remedy"] == "Run: playground models pull smollm2-135m"


def test_a_damaged_model_is_a_fault(examine, home_with_starter):
    (blob,) = (home_with_starter / "models" / "blobs").iterdir()
    blob.unlink()  # a hard link to the tests' shared file: never write into it
    blob.write_bytes(b"GGUF")
    status, findings, _ = examine()
    assert status == 1
    assert "broken" in {findings["Model"]["state"], findings["Chosen"]["state"]}


def test_a_default_model_that_nobody_knows_is_a_fault(examine, environ):
    environ["PLAYGROUND_MODELS__DEFAULT"] = "nobody"
    status, findings, settings = examine()
    assert (status, findings["Model"]["state"]) == (1, "broken")
    assert settings["models.default"] == {"value": "nobody", "from": "PLAYGROUND_MODELS__DEFAULT"}


def test_the_page_for_people_names_the_file_of_a_setting(run_cli, home, environ):
    (home / "config").mkdir()
    (home / "config" / "playground.toml").write_text("[engine]\nthreads = 1\n")
    environ["PLAYGROUND_LOCAL_ONLY"] = "1"
    result = run_cli("doctor")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["engine.threads", "1", str(home / "config" / "playground.toml")] in lines
    assert ["privacy.local_only", "True", "PLAYGROUND_LOCAL_ONLY"] in lines
    assert "local-only mode: downloads and remote models are refused" in result.stdout


@pytest.mark.parametrize("command", [("doctor",), ("models", "list"), ("chat", "Hi")])
def test_a_wrong_setting_is_one_line(run_cli, environ, command):
    environ["PLAYGROUND_ENGINE__CONTEXT"] = "many"
    result = run_cli(*command)
    assert result.exit_code == 1
    assert result.stderr.startswith("playground: PLAYGROUND_ENGINE__CONTEXT: engine.context is 'many'")
    assert len(result.stderr.splitlines()) == 1


def test_a_home_that_cannot_be_made_is_one_line(run_cli, environ, tmp_path):
    (tmp_path / "file").write_text("")
    environ["PLAYGROUND_HOME"] = str(tmp_path / "file" / "home")
    result = run_cli("doctor")
    assert result.exit_code == 1
    assert "Set PLAYGROUND_HOME" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("fault", "wanted", "state", "words"),
    [
        ("", "", "good", "USB headset, the system's choice of 2 devices"),
        ("", "built", "good", "Built-in, by the setting voice.device"),
        ("", "Yeti", "note", "there is no 'Yeti'; there is Built-in, USB headset"),
        ("none", "", "note", "none is known to the system"),
        ("no-portaudio", "", "note", "PortAudio, the library that reaches microphones, is not installed."),
        ("dies", "", "note", "ended with status"),
    ],
)
def test_the_microphone_is_named_or_what_keeps_it_away(examine, environ, monkeypatch, fault, wanted, state, words):
    environ["PLAYGROUND_VOICE__DEVICE"] = wanted
    made = partial(Microphone, command=(sys.executable, str(CAPTURES), fault))
    monkeypatch.setattr("app.voice.microphone.Microphone", made)
    status, findings, _ = examine()
    found = findings["Microphone"]
    assert (status, found["state"]) == (0, state)
    assert words in found["found"]
    assert bool(found["remedy"]) == (state == "note")
