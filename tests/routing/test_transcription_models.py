"""Remote models that write down speech: what the catalogue says of them, and that nobody chats with one."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from app.backends.raw import RawRequest
from app.engine.catalogues.files import CatalogueFile
from app.errors import CatalogueError, InvalidRequestError
from app.routing.catalogue.remote_models import RemoteCatalogue
from app.routing.transcribing import RemoteTranscription

from .scripted import World, ask, endpoint, read
from .virtual import run_virtual

TOML = (
    endpoint("cloud")
    + '[remote.ears]\nendpoint = "cloud"\nrole = "transcribe"\naliases = ["whisper-1"]\n'
    + '[remote.gpt]\nendpoint = "cloud"\n'
)


def refused(toml: str) -> str:
    with pytest.raises(CatalogueError) as caught:
        RemoteCatalogue.of([CatalogueFile(Path("models.toml"), tomllib.loads(toml))], {})
    return caught.value.message


def test_a_role_that_there_is_not_is_refused():
    words = refused(endpoint("cloud") + '[remote.x]\nendpoint = "cloud"\nrole = "embed"\n')
    assert words == "models.toml: [remote.x]: `role`: found 'embed'; expected 'chat' or 'transcribe'."


def test_nobody_takes_the_place_of_another_where_speech_is_concerned():
    assert "expected none" in refused(TOML.replace('aliases = ["whisper-1"]', 'fallback = ["gpt"]'))
    assert "`fallback` names 'whisper-1', which does not chat" in refused(TOML + 'fallback = ["whisper-1"]\n')


def test_chat_is_refused_before_anything_is_sent():
    async def scene():
        world = World(TOML)
        assert set(await world.router.models()) == {"small", "gpt"}
        for name in ("ears", "whisper-1"):
            deltas, error = await read(world.router.stream(ask(name)))
            assert deltas == [] and isinstance(error, InvalidRequestError)
            assert error.message == f"{name} writes down speech, and does not chat."
            with pytest.raises(InvalidRequestError):
                await world.router.preview(ask(name))
            with pytest.raises(InvalidRequestError):
                await world.router.raw(RawRequest(protocol="openai-chat", model=name, body={}, headers=()))
        assert world.connected == []

    run_virtual(scene())


def test_the_listing_tells_what_each_is_for_and_what_leaves():
    async def scene():
        lines = {line.name: line for line in await World(TOML).router.listing()}
        assert (lines["ears"].role, lines["gpt"].role) == ("transcribe", "chat")
        assert lines["ears"].leaves == "speech, to cloud.example"

    run_virtual(scene())


def test_a_chat_model_is_sent_no_speech():
    world = World(TOML)
    target = world.remotes.target("gpt")
    assert target is not None
    with pytest.raises(InvalidRequestError, match="gpt is for chat") as caught:
        RemoteTranscription(target, None, redacts=False)
    assert 'add `role = "transcribe"` to [remote."gpt"]' in caught.value.remedy
