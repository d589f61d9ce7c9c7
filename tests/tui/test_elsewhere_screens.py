"""Pictures of what concerns other machines and other programs. Look at them after --snapshot-update."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from app.errors import SettingsError, StreamBrokenError
from app.messages import Finished, Rerouted, Started, TextDelta, Timings, Usage, Waiting
from app.server.activity import Totals, Visit
from app.tui.app import PlaygroundApp
from app.tui.chat.composer import Composer
from app.tui.chat.pane import ChatPane
from app.tui.chat.transcript import Transcript
from app.tui.requests.note_list import NoteList
from app.vault.activity.audit import AuditNote, Detour

from .conftest import until
from .elsewhere import LINES
from .scripted import ScriptedRouter, answer
from .test_screens import press, still

Make = Callable[..., PlaygroundApp]
Step = Callable[[Pilot[Any]], Awaitable[None]]
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
NOON = 1_763_726_400.0


pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture
def picture(snap_compare: Any) -> Callable[..., None]:
    def compare(app: PlaygroundApp, size: tuple[int, int], *steps: Step) -> None:
        async def run(pilot: Pilot[Any]) -> None:
            still(app)
            chat = app.query_one(ChatPane)
            await until(lambda: chat.keeper is not None)
            await until(lambda: chat.parts.model._desk._lines or not app._playground.router.lines)
            await pilot.pause()
            for step in steps:
                await step(pilot)
            await pilot.pause()

        assert snap_compare(app, terminal_size=size, run_before=run)

    return compare


def use(model: str) -> Step:
    async def step(pilot: Pilot[Any]) -> None:
        pilot.app.query_one(ChatPane).use_model(model)
        await pilot.pause(0.2)

    return step


def ask(text: str, *, wait: bool = True) -> Step:
    async def step(pilot: Pilot[Any]) -> None:
        pilot.app.query_one(Composer).put(text)
        await pilot.press("enter")
        chat = pilot.app.query_one(ChatPane)
        await until(lambda: len(chat.conversation.path()) > 1)
        if wait:
            await until(lambda: not chat.answering)
        await pilot.pause(0.3)
        # What a clock measured is not the same twice.
        for node in chat.conversation.path():
            if node.first_token is not None:
                chat.conversation.save(msgspec.structs.replace(node, first_token=0.42))
        if wait:
            chat.parts.model.report(msgspec.structs.replace(chat.status, first_token=0.42, speed=109.0, note=""))
            for view in pilot.app.query("AnswerView"):
                view.node = chat.conversation.node(view.node.id)
                view._refresh_footer()
            pilot.app.query_one(Transcript).to_end()
        await pilot.pause()

    return step


# Choosing


async def pick(pilot: Pilot[Any]) -> None:
    await pilot.press("f2")
    await until(lambda: pilot.app.screen.query_one(OptionList).option_count > 4)
    await pilot.pause(0.2)


@SIZES
def test_picker(make_app: Make, picture: Any, size: Any) -> None:
    picture(make_app(ScriptedRouter(answer(), lines=LINES)), size, pick, press(*["down"] * 3))


@SIZES
def test_picker_while_local_only(make_app: Make, picture: Any, size: Any) -> None:
    app = make_app(ScriptedRouter(answer(), lines=LINES), local_only=True)
    picture(app, size, pick, press(*["down"] * 4))


@SIZES
def test_model_elsewhere(make_app: Make, picture: Any, size: Any) -> None:
    picture(make_app(ScriptedRouter(answer(), lines=LINES)), size, use("gpt-5-mini"))


@SIZES
def test_allowing_the_network(make_app: Make, picture: Any, size: Any) -> None:
    picture(make_app(ScriptedRouter(answer(), lines=LINES), local_only=True), size, press("alt+l"))


# Answering in each other's place


@SIZES
def test_rerouting(make_app: Make, picture: Any, size: Any) -> None:
    busy = Rerouted("gpt-5-mini", "claude", "api.openai.example answers nobody just now (503).")
    app = make_app(ScriptedRouter([Waiting("connecting"), busy, asyncio.Event()], lines=LINES))
    picture(app, size, use("gpt-5-mini"), ask("Why is the sky blue?", wait=False))


@SIZES
def test_rerouted_and_remembered(make_app: Make, picture: Any, size: Any) -> None:
    rerouted = [
        Rerouted("gpt-5-mini", "claude", "api.openai.example answers nobody just now (503)."),
        Started("claude", "anthropic", context=1_000_000),
        TextDelta("Blue light is scattered more than red."),
        Finished("stop", Usage(212, 180), Timings(0.0, 0.4, 1.65)),
    ]
    again = [
        Started("gpt-5-mini", "openai", from_cache=True),
        TextDelta("As I said."),
        Finished("stop", Usage(31, 12), Timings(0.0, 0.0, 0.0)),
    ]
    app = make_app(ScriptedRouter(rerouted, again, lines=LINES))
    picture(app, size, use("gpt-5-mini"), ask("Why is the sky blue?"), ask("And again?"))


@SIZES
def test_broken_off(make_app: Make, picture: Any, size: Any) -> None:
    script = [
        Started("gpt-5-mini", "openai"),
        TextDelta("The first half of what it wanted to say, and then"),
        StreamBrokenError("The connection to api.openai.example was lost in mid-answer."),
    ]
    picture(make_app(ScriptedRouter(script, lines=LINES)), size, use("gpt-5-mini"), ask("Tell me a story."))


# Before it is sent


class Previewed:
    url = "https://api.openai.example/v1/chat/completions"
    headers = {"content-type": "application/json", "authorization": "•••", "x-team": "blue"}  # noqa: RUF012
    body = (
        b'{"model":"gpt-5-mini","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":'
        b'"Write to [EMAIL_1_k3f9] and call [PHONE_1_k3f9] about the invoice."}],"stream":true,"max_tokens":512}'
    )


@SIZES
def test_preview(make_app: Make, picture: Any, size: Any) -> None:
    app = make_app(ScriptedRouter(answer(), lines=LINES, preview=Previewed()))
    picture(app, size, use("gpt-5-mini"), press("alt+p"))


# Requests


def _note(number: int, **known: Any) -> AuditNote:
    told = {"asked": "smollm2-135m", "model": "smollm2-135m", "backend": "local", "finish": "stop", "face": "tui"}
    return AuditNote(**(told | {"at": NOON - number * 371} | known))


NOTES = (
    _note(1, total_s=0.004, prompt_tokens=212, completion_tokens=180, from_cache=True),
    _note(2, total_s=0.9, prompt_tokens=20, completion_tokens=31, outcome="stopped"),
    _note(
        3,
        face="server",
        asked="claude",
        model="",
        backend="",
        outcome="failed",
        error="remote_timeout",
        message="api.anthropic.example did not answer within 120 s.",
        total_s=120.0,
    ),
    _note(
        4,
        asked="gpt-5-mini",
        model="claude",
        backend="anthropic",
        attempts=4,
        detours=(Detour("gpt-5-mini", "claude", "api.openai.example answers nobody just now (503)."),),
        first_token_s=1.1,
        total_s=2.4,
        prompt_tokens=212,
        completion_tokens=180,
        cost=0.0033,
        request={"messages": [{"role": "user", "content": "Write to [EMAIL_1_k3f9]."}]},
        answer={"text": "Gladly."},
    ),
    _note(
        5,
        face="cli",
        model="gpt-5-mini",
        backend="openai",
        finish="length",
        total_s=4.2,
        completion_tokens=640,
        cost=0.1,
    ),
    _note(400, total_s=1.2, completion_tokens=64),
)


async def _notes(pilot: Pilot[Any]) -> None:
    app = pilot.app
    await app._playground.vault.audit.add(NOTES)  # type: ignore[attr-defined]
    await pilot.press("f12")
    await until(lambda: app.query(NoteList) and app.query_one(NoteList).count == len(NOTES))
    app.query_one(NoteList)._clock = lambda: NOON
    app.query_one(NoteList).refresh()
    await pilot.pause(0.2)


@SIZES
def test_requests(make_app: Make, picture: Any, size: Any) -> None:
    picture(make_app(), size, _notes)


@SIZES
def test_no_requests(make_app: Make, picture: Any, size: Any) -> None:
    picture(make_app(), size, press("f12"))


@SIZES
@pytest.mark.parametrize("keys", [(), ("j",)], ids=["readable", "json"])
def test_request(make_app: Make, picture: Any, size: Any, keys: tuple[str, ...]) -> None:
    picture(make_app(), size, _notes, press("down", "down", "down", "enter"), press(*keys))


# The server


class Scripted:
    """Requests that stand still."""

    changes = 1
    busy = False

    def __init__(self, *visits: Visit) -> None:
        self._visits = visits

    def visits(self) -> tuple[Visit, ...]:
        return self._visits

    def totals(self) -> Totals:
        return Totals(requests=len(self._visits), running=1, refused=2, tokens=3410) if self._visits else Totals()


def _visit(number: int, path: str, **known: Any) -> Visit:
    return Visit(**({"number": number, "at": NOON - number, "method": "POST", "path": path, "status": 200} | known))


VISITS = (
    _visit(
        6,
        "/v1/chat/completions",
        who="the key above",
        model="smollm2-135m",
        seconds=1.4,
        tokens=57,
        speed=98.2,
        streaming=True,
        running=True,
    ),
    _visit(5, "/v1/messages", who="my editor", model="smollm2-135m", seconds=2.1, tokens=1204, speed=101.4),
    _visit(4, "/v1/embeddings", who="notes", model="all-minilm-l6-v2", seconds=0.021),
    _visit(3, "/v1/models", method="GET", status=401, seconds=0.001, error="key_refused"),
    _visit(2, "/v1/chat/completions", who="my editor", model="smollm2-135m", status=503, seconds=0.004, error="busy"),
    _visit(1, "/v1/models", method="GET", who="the key above", seconds=0.007),
)


def served(*visits: Visit, shown: bool = True) -> Step:
    class Serving:
        address, key, activity = "http://127.0.0.1:8137", "pg-" + "k3F9xQ7a" * 5 + "Tz1", Scripted(*visits)

        async def aclose(self) -> None: ...

    async def step(pilot: Pilot[Any]) -> None:
        desk = pilot.app._server_desk  # type: ignore[attr-defined]
        desk._server = Serving()
        desk._set("on")
        await pilot.press("f10")
        await pilot.pause(0.3)
        if not shown:
            await pilot.press("f5")
            await pilot.press("f10")
            await pilot.pause(0.3)

    return step


@SIZES
def test_server_off(make_app: Make, picture: Any, size: Any) -> None:
    picture(make_app(port=8137), size, press("f10"))


@SIZES
def test_server_cannot_listen(make_app: Make, picture: Any, size: Any) -> None:
    async def failed(pilot: Pilot[Any]) -> None:
        desk = pilot.app._server_desk  # type: ignore[attr-defined]
        desk.error = SettingsError(
            "The server cannot listen on 127.0.0.1, port 8137: address already in use.", "Choose another port."
        )
        desk._set("off")
        await pilot.pause()

    picture(make_app(port=8137), size, press("f10"), failed)


@SIZES
def test_server_waits(make_app: Make, picture: Any, size: Any) -> None:
    picture(make_app(), size, served())


@SIZES
def test_server_answers(make_app: Make, picture: Any, size: Any) -> None:
    picture(make_app(), size, served(*VISITS, shown=False))


@SIZES
@pytest.mark.parametrize("theme", ["light", "high-contrast", "terminal"])
def test_server_themes(make_app: Make, picture: Any, size: Any, theme: str) -> None:
    picture(make_app(theme=f"playground-{theme}"), size, served(*VISITS, shown=False))
