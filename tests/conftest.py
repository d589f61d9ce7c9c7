"""What tests share: a fresh home, and the real models, fetched once."""

from __future__ import annotations

import gc
import os
import secrets
import socket
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

from app.vault.access import passwords
from app.vault.keys.wrapping import Stretching
from tests.starter import EMBEDDING, SPEECH, fetch

# Readline, which pytest loads, puts them there when there is no terminal; every terminal that a test opens has its own.
for name in ("LINES", "COLUMNS"):
    os.environ.pop(name, None)

# Threads of one matrix product wait for each other and spin meanwhile. With several tests on the same processors a
# short answer took 4.1 s of processor time and 22 s in all, by one thread 1.2 s and 6 s. Read when OpenMP is loaded.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_THREAD_LIMIT"] = "1"

# On a busy machine any example may take long; what hangs is ended by pytest-timeout.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Lets pytest-rerunfailures' note of each test, which no answer follows, leave at once.

    What it asks next waited behind it until the system acknowledged the note: 0.04 s a test, three minutes in all.
    """
    connection = getattr(getattr(config, "failures_db", None), "sock", None)
    if isinstance(connection, socket.socket):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leaves all tests, once they are collected, out of every later collection of garbage.

    They are half a million objects, which stay. To go through them took a third of the time of collecting tests, and
    0.6 s whenever anything asked for a full collection, as the interface does in every answer.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def guesses_are_cheap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrases and passwords cost little to stretch in the tests' own process, but where ``full_cost`` is marked.

    Programs that tests start pay the whole price: a quarter of a second of processor time and 64 MiB each.
    """
    if request.node.get_closest_marker("full_cost") is None:
        monkeypatch.setattr(Stretching, "fresh", lambda: Stretching(secrets.token_bytes(16), passes=1, memory_kib=64))
        monkeypatch.setattr(passwords, "_PASSES", 1)
        monkeypatch.setattr(passwords, "_MEMORY_KIB", 64)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A fresh PLAYGROUND_HOME."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def environ(home: Path) -> dict[str, str]:
    """An environment in which everything of ours lies under ``home``, and nothing of the developer's is seen."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLAYGROUND_")}
    return {**kept, "PLAYGROUND_HOME": str(home)}


@pytest.fixture(scope="session")
def starter_model() -> Path:
    """The starter model's file, fetched through our own store into ``.cache`` of the checkout on the first run."""
    return fetch()


@pytest.fixture(scope="session")
def embedding_model() -> Path:
    """The file of the model that embeds, its tokenizer beside it; fetched as the starter is."""
    return fetch(EMBEDDING)


@pytest.fixture(scope="session")
def speech_model() -> Path:
    """The file of the model that transcribes, the rest of it beside it; fetched as the starter is."""
    return fetch(SPEECH)


@pytest.fixture
def home_with_starter(home: Path, starter_model: Path) -> Path:
    """A PLAYGROUND_HOME in which the starter model is installed already."""
    install(home, starter_model)
    return home


@pytest.fixture
def home_with_models(home: Path, starter_model: Path, embedding_model: Path, speech_model: Path) -> Path:
    """A PLAYGROUND_HOME in which one model of each role is installed already."""
    for model in (starter_model, embedding_model, speech_model):
        install(home, model)
    return home


def install(home: Path, model: Path) -> None:
    """Puts a fetched model into a home: its files as hard links, so it costs no time or room."""
    models = home / "models"
    (models / "blobs").mkdir(parents=True, exist_ok=True)
    folder = models / model.parent.name
    folder.mkdir()
    for file in model.parent.iterdir():
        if file.is_symlink():
            blob = file.resolve()
            kept = models / "blobs" / blob.name
            if not kept.exists():  # two models may share a file
                kept.hardlink_to(blob)
            (folder / file.name).symlink_to(Path("..") / "blobs" / blob.name)
    (folder / "record.json").write_bytes((model.parent / "record.json").read_bytes())
