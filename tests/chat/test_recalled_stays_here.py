"""What memory recalled goes to models of this machine, and nowhere else unless that is allowed. Over true connections.

The secret is looked for in the bytes that a small server received.
"""

from __future__ import annotations

import tomllib
from collections.abc import AsyncGenerator, Collection, Sequence
from pathlib import Path

import pytest

from app.backends.endpoint import EndpointKind
from app.chat import AnswerEnded, Answering, Conversation, Exchange, Outgoing
from app.chat.recalling import RecalledNow, Recaller
from app.engine.catalogues.catalogue import Catalogue
from app.engine.catalogues.files import CatalogueFile
from app.errors import WorkerDiedError
from app.memory.recall import Recalled
from app.messages import ChatRequest, Delta, Message, Started, TextDelta
from app.playground import Playground
from app.privacy.connections import ConnectionPolicy
from app.routing.connecting import connected
from app.routing.failover import answer
from app.routing.remotes import Remotes
from app.routing.router import Router
from app.routing.targets import LocalTarget, Target
from app.settings import Folders
from app.settings.schema import PrivacySettings
from tests.backends.provider import Answer, Provider, provider
from tests.routing.scripted import Scripted, endpoint

KINDS: tuple[EndpointKind, ...] = ("openai", "anthropic", "ollama", "openai-compatible")
SECRET = "Zanzibar"
PASSAGE = Recalled(
    source="message",
    source_id="m1",
    session_id="s1",
    title="A key",
    role="user",
    date=1.0,
    text=f"The cellar opens with {SECRET}.",
    why="meaning",
    score=1.0,
)


class Memory:
    async def recall(
        self, question: str, *, without: Collection[str] = frozenset(), most_tokens: int | None = None
    ) -> tuple[Recalled, ...]:
        return (PASSAGE,)


class Local(Scripted):
    """A model of this machine that remembers what it was asked; it dies when ``plan`` says so."""

    def __init__(self, plan: Sequence[Delta | BaseException] = (Started("small", "local"), TextDelta("Hi."))) -> None:
        super().__init__("local", plan, models=("small",))
        self.requests: list[ChatRequest] = []

    def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        self.requests.append(request)
        return super().stream(request)


class Chain:
    """Answers as a chain of models does, whoever is asked."""

    def __init__(self, *targets: Target) -> None:
        self._targets = targets

    def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        return answer(self._targets, request)


def remotes_of(there: Provider, local: Local, kind: EndpointKind = "openai", more: str = "") -> Remotes:
    toml = endpoint("cloud", kind=kind, url=there.url(kind)) + f'[remote.gpt]\nendpoint = "cloud"\n{more}\n'
    here = Catalogue.of([CatalogueFile(Path("here"), {"models": {"small": {"source": "path:/nowhere.gguf"}}})])
    return connected(
        [CatalogueFile(Path("models.toml"), tomllib.loads(toml))],
        here,
        local,
        ConnectionPolicy(local_only=False),
        PrivacySettings(),
        {},
        vault=lambda: None,
    )


async def asked(answering: Answering, model: str, *, may_leave: bool = False) -> tuple[list[object], ChatRequest]:
    conversation = Conversation(system="Be brief.")
    question = conversation.append(Message.user("How do I get into the cellar?"))
    outgoing = Outgoing(conversation, model, recaller=Recaller(Memory(), may_leave=may_leave))
    exchange = Exchange(outgoing, answering)
    events = [event async for event in exchange.run(question.id)]
    ended = events[-1]
    assert isinstance(ended, AnswerEnded)
    assert ended.node.status == "complete", ended.node.error
    assert SECRET not in repr(conversation.path()), "what is kept is what was said"
    return events, await outgoing.previewed(Message.user("And out again?"))


async def test_a_local_model_that_fails_leaves_nothing_recalled_to_the_remote_one_that_answers() -> None:
    local = Local((WorkerDiedError("It died.", "Ask again."),))
    async with provider() as there:
        remotes = remotes_of(there, local)
        events, _ = await asked(Chain(LocalTarget("small", local), remotes._targets["gpt"]), "small")
        await remotes.aclose()
    assert SECRET in repr(local.requests), "the model of this machine was told"
    (sent,) = there.chats
    assert b"How do I get into the cellar?" in sent.raw
    assert SECRET.encode() not in sent.raw
    recalled = [event for event in events if isinstance(event, RecalledNow)]
    assert recalled == [RecalledNow((PASSAGE,)), RecalledNow(())], "and the face no longer says that it was recalled"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_remote_model_is_told_nothing_recalled_whatever_it_speaks(kind: EndpointKind) -> None:
    local = Local()
    async with provider() as there:
        remotes = remotes_of(there, local, kind)
        router = Router([local], remotes)
        events, request = await asked(router, "gpt")
        shown = await router.preview(request)
        assert shown is not None
        assert SECRET not in str(shown), "nor does the preview show what is not sent"
        await router.aclose()
    (sent,) = there.chats
    assert b"How do I get into the cellar?" in sent.raw
    assert SECRET.encode() not in sent.raw
    assert RecalledNow(()) in events


async def test_who_answers_in_its_place_on_this_machine_is_told() -> None:
    local = Local()
    async with provider(Answer(status=500)) as there:
        router = Router([local], remotes_of(there, local, more='fallback = ["small"]'))
        events, _ = await asked(router, "gpt")
        await router.aclose()
    assert there.chats
    assert all(SECRET.encode() not in sent.raw for sent in there.received)
    assert f"> The cellar opens with {SECRET}." in local.requests[0].messages[-1].text
    assert local.requests[0].here is None
    assert RecalledNow(()) not in events


async def test_where_it_is_allowed_it_is_sent_and_the_preview_shows_it() -> None:
    local = Local()
    async with provider() as there:
        router = Router([local], remotes_of(there, local))
        events, request = await asked(router, "gpt", may_leave=True)
        assert SECRET in str(await router.preview(request))
        await router.aclose()
    (sent,) = there.chats
    assert SECRET.encode() in sent.raw
    assert RecalledNow(()) not in events


@pytest.mark.parametrize("allowed", [False, True])
async def test_the_settings_say_whether_it_may_leave(
    environ: dict[str, str], home_with_models: Path, allowed: bool
) -> None:
    environ = {**environ, "PLAYGROUND_MEMORY__REMOTE": str(allowed).lower()}
    folders = Folders.find(environ)
    folders.make()
    (folders.config / "models.toml").write_text(
        '[endpoints.far]\nkind = "openai"\nurl = "http://127.0.0.1:9/v1"\n[remote.gpt]\nendpoint = "far"\n'
    )
    playground = Playground.open(environ)
    here, far = playground.recaller("smollm2-135m"), playground.recaller("gpt")
    assert here is not None and here.may_leave == allowed
    assert (far is not None) == allowed
    await playground.aclose()
