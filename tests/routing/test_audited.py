"""Every request leaves a note, in a real vault; and what no note may hold."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from contextlib import aclosing, suppress

import pytest

from app.backends.endpoint import Endpoint, HeaderRules
from app.backends.raw import RawAnswer, RawRequest
from app.errors import CatalogueError, PlaygroundError, RemoteRefusedError, StreamBrokenError
from app.messages import ChatRequest, Finished, Image, Message, Rerouted, Started, TextDelta, Timings, Usage, Waiting
from app.privacy.masking import MASK, Masker, MaskingFilter
from app.routing.audit.audited import Audited
from app.routing.audit.notebook import Notebook
from app.routing.raw_usage import RawUsage
from app.routing.router import Router
from app.routing.rules import compile_rules

from .kept import answer, open_vault, vault  # noqa: F401 - a fixture
from .scripted import Scripted, ask


def noted(vault, plan=("Hello", " there."), masker=None, **chosen):  # noqa: F811
    chosen = {"write_every_s": 0.0, "look_every_s": 0.01, "cost": lambda model, usage: 0.5} | chosen
    notebook = Notebook(open_vault(vault), masker or Masker(), **chosen)
    return Audited(Router([Scripted("wire", plan, ("m",))]), notebook, "tui"), notebook


async def test_a_request_leaves_a_note_of_all_that_happened(vault):  # noqa: F811
    plan = [
        Waiting("connecting"),
        Waiting("retrying", 1, 3),
        Rerouted("m", "other", "It was down."),
        Started("other", "far", 7, 2),
        0.02,
        TextDelta("Hello"),
        Finished("length", Usage(7, 3, 2), Timings(0.1, 0.2, 0.3)),
    ]
    router, _ = noted(vault, plan)
    assert len(await answer(router, ask("m"))) == 6
    await router.aclose()
    (note,) = await vault.audit.notes()
    assert (note.face, note.asked, note.model, note.backend) == ("tui", "m", "other", "far")
    assert (note.outcome, note.finish, note.attempts, note.cost) == ("finished", "length", 3, 0.5)
    assert [(one.model, one.next_model) for one in note.detours] == [("m", "other")]
    assert (note.prompt_tokens, note.completion_tokens, note.cached_tokens, note.queued_s) == (7, 3, 2, 0.1)
    assert 0.02 <= note.first_token_s <= note.total_s < 5 and abs(note.at - time.time()) < 60
    assert note.request is None and note.answer is None
    (row,) = await vault.usage.rows()
    assert (row.model, row.backend, row.api_key, row.tokens, row.cost, row.outcome) == (
        "other", "far", None, 10, 0.5, "finished"
    )  # fmt: skip


async def test_what_failed_and_what_was_left_is_noted_too(vault):  # noqa: F811
    router, _ = noted(vault, [Started("m", "wire", 5), "begun", StreamBrokenError("It broke.")])
    with pytest.raises(StreamBrokenError):
        await answer(router, ask("m"))
    async with aclosing(router.stream(ask("m"))) as deltas:
        async for delta in deltas:
            if isinstance(delta, TextDelta):
                break
    with pytest.raises(PlaygroundError):
        await answer(router, ask("unknown"))
    await router.aclose()
    unknown, left, failed = await vault.audit.notes()
    assert (failed.outcome, failed.error, failed.message) == ("failed", "stream_broken", "It broke.")
    assert (left.outcome, left.prompt_tokens, left.completion_tokens) == ("stopped", 5, 1)
    assert (unknown.outcome, unknown.error, unknown.model) == ("failed", "unknown_model", "")
    assert [row.outcome for row in await vault.usage.rows()] == ["failed", "stopped"]


async def test_figures_know_what_was_given_again_and_what_nobody_answered(vault):  # noqa: F811
    again = [Started("m", "wire", 5, from_cache=True), TextDelta("Hello"), Finished("stop", Usage(5, 2))]
    router, _ = noted(vault, again)
    await answer(router, ask("m"))
    await router.aclose()
    refusing, _ = noted(vault, [RemoteRefusedError("It is out of order.")], audit=False)
    with pytest.raises(RemoteRefusedError):
        await answer(refusing, ask("m"))
    # The server counts its own answers, but this was none.
    with pytest.raises(RemoteRefusedError):
        await answer(refusing.seen_from("server"), ask("m"))
    with pytest.raises(PlaygroundError):
        await answer(refusing.seen_from("server"), ask("unknown"))
    await refusing.aclose()
    given, *failed = await vault.usage.rows()
    assert (given.from_cache, given.cost, given.tokens, given.decode_s) == (True, 0.0, 7, None)
    assert given.total_s >= given.first_token_s
    assert [(row.model, row.backend, row.outcome, row.cost) for row in failed] == [("m", "", "failed", None)] * 2


async def test_each_face_is_named_and_the_servers_usage_is_counted_elsewhere(vault):  # noqa: F811
    router, _ = noted(vault)
    await answer(router.seen_from("server"), ask("m"))
    await answer(router.seen_from("cli"), ask("m"))
    await router.aclose()
    assert [note.face for note in await vault.audit.notes()] == ["cli", "server"]
    assert len(await vault.usage.rows()) == 1


async def test_bodies_are_kept_when_that_is_chosen_and_pictures_are_told(vault):  # noqa: F811
    router, _ = noted(vault, bodies=True)
    picture = Message("user", (Image("image/png", b"123456"),))
    await answer(router, ChatRequest(model="m", messages=(Message.user("half \ud800"), picture)))
    await router.aclose()
    (note,) = await vault.audit.notes()
    assert note.answer == [{"kind": "text_delta", "text": "Hello there."}]
    assert note.request["messages"][0]["parts"] == [{"kind": "text", "text": "half \ufffd"}]
    assert note.request["messages"][1]["parts"][0] == {
        "kind": "image",
        "media_type": "image/png",
        "url": "6 bytes",
    }


async def test_without_notes_usage_is_counted_all_the_same(vault):  # noqa: F811
    router, _ = noted(vault, audit=False, bodies=True)
    await answer(router, ask("m"))
    await router.aclose()
    assert await vault.audit.count() == 0 and len(await vault.usage.rows()) == 1


async def test_notes_wait_until_the_vault_is_open_and_the_oldest_go(vault, caplog, monkeypatch):  # noqa: F811
    monkeypatch.setattr("app.routing.audit.notebook._MOST_WAITING", 5)
    await vault.lock()
    router, notebook = noted(vault)
    for _ in range(8):
        assert len(await answer(router, ask("m"))) == 4
    assert notebook.lost == 3
    await vault.open()
    for _ in range(200):
        if "were not noted" in caplog.text:
            break
        await asyncio.sleep(0.01)
    assert await vault.audit.count() == 5 and "3 requests were not noted" in caplog.text
    await router.aclose()


async def test_a_vault_that_cannot_be_written_fails_no_answer(vault, monkeypatch, caplog):  # noqa: F811
    async def full(notes):
        raise PlaygroundError("The disk is full.")

    caplog.set_level(logging.INFO)
    router, _ = noted(vault)
    monkeypatch.setattr(vault.audit, "add", full)
    assert len(await answer(router, ask("m"))) == 4
    await asyncio.sleep(0.05)
    monkeypatch.undo()
    await router.aclose()
    assert "The disk is full" in caplog.text and await vault.audit.count() == 1


async def test_old_notes_are_taken_out(vault):  # noqa: F811
    from app.vault.activity.audit import AuditNote

    await vault.audit.add([AuditNote(at=time.time() - age * 86_400, face="cli", asked="m") for age in (0.5, 2, 3)])
    router, _ = noted(vault, keep_days=1)
    await answer(router, ask("m"))
    await router.aclose()
    assert await vault.audit.count() == 2


async def test_an_answer_is_not_delayed_by_its_note(vault, monkeypatch):  # noqa: F811
    monkeypatch.setattr(vault.audit, "add", lambda notes: asyncio.sleep(60))
    router, notebook = noted(vault)
    began = time.monotonic()
    for _ in range(20):
        await answer(router, ask("m"))
        await asyncio.sleep(0)
    assert time.monotonic() - began < 30  # the notes would take a minute each
    notebook._writer.cancel()
    await asyncio.gather(notebook._writer, return_exceptions=True)


class Passing(Router):
    """A router that passes through what a test wrote down."""

    def __init__(self, pieces):
        super().__init__([])
        self._pieces, self.closed = pieces, False

    async def raw(self, request):
        if isinstance(self._pieces, PlaygroundError):
            raise self._pieces
        return (
            None
            if self._pieces is None
            else RawAnswer(status=200, headers={}, pieces=self._given(), model="m", backend="far")
        )

    async def _given(self):
        try:
            for piece in self._pieces:
                if isinstance(piece, PlaygroundError):
                    raise piece
                yield piece
        finally:
            self.closed = True


RAW = RawRequest(protocol="anthropic", model="m", body={"model": "m"})
USAGE = [
    b'data: {"usage": {"input_tokens": 12, "cache_read_input_tok',
    b'ens": 30, "output_tokens":1}}',
    b'{"output_tokens": 57}',
]


@pytest.mark.parametrize(
    ("pieces", "outcome", "tokens"),
    [
        (USAGE, "finished", (42, 57, 30)),
        ([b"x", StreamBrokenError("It broke.")], "failed", (0, 0, 0)),
        (RemoteRefusedError("No."), "failed", (0, 0, 0)),
    ],
)
async def test_what_passes_through_is_noted(vault, pieces, outcome, tokens):  # noqa: F811
    _, notebook = noted(vault)
    router = Audited(Passing(pieces), notebook, "server")
    with suppress(PlaygroundError):
        found = await router.raw(RAW)
        assert [piece async for piece in found.pieces] == pieces
    await router.aclose()
    (note,) = await vault.audit.notes()
    assert (note.kind, note.outcome) == ("raw", outcome)
    assert (note.prompt_tokens, note.completion_tokens, note.cached_tokens) == tokens


async def test_what_is_translated_instead_is_not_noted_twice_and_what_is_closed_unread_is(vault):  # noqa: F811
    _, notebook = noted(vault)
    assert await Audited(Passing(None), notebook, "server").raw(RAW) is None
    router = Audited(Passing([b"x"]), notebook, "server")
    found = await router.raw(RAW)
    await found.pieces.aclose()
    await found.pieces.aclose()
    await router.aclose()
    (note,) = await vault.audit.notes()
    assert note.outcome == "stopped"


@pytest.mark.parametrize("cut", [1, 3, 1000])
def test_figures_are_found_wherever_the_bytes_are_cut(cut):
    whole = (
        b'{"a": "\\"prompt_tokens\\": 99", "u":{"prompt_tokens": 1234,"completion_tokens":567,"x":{"cached_tokens":8}}}'
    )
    usage = RawUsage()
    for at in range(0, len(whole), cut):
        usage.feed(whole[at : at + cut])
    assert usage.so_far == Usage(1234, 567, 8)


def planted(count=50):
    """Secrets of every shape: of services, of no known shape, with characters that are written in several ways."""
    shapes = (
        "sk-proj-{}",
        "ghp_{}",
        "AKIA{:.16}",
        "eyJ{0:.12}.eyJ{0:.12}.{0:.12}",
        "{}",
        'with "quotes" and \\{}',
        "é{}/+&= ü",
    )
    made = (secrets.token_hex(12).upper() for _ in range(count))
    return [shapes[number % len(shapes)].format(secret) for number, secret in enumerate(made)]


async def test_fifty_planted_secrets_appear_nowhere(vault, caplog, tmp_path):  # noqa: F811
    keys = planted()
    environ = {f"SERVICE_{number}_KEY": key for number, key in enumerate(keys)}
    masker = Masker.of_environment(environ)
    log = tmp_path / "debug.log"
    handler = logging.FileHandler(log)
    handler.setLevel(logging.DEBUG)
    handler.addFilter(MaskingFilter(masker))
    logging.getLogger().addHandler(handler)
    seen: list[str] = []
    try:
        with caplog.at_level(logging.DEBUG):
            for number, key in enumerate(keys):
                logging.getLogger("aiohttp.client").debug("sending %r", {"authorization": f"Bearer {key}"})
                error = RemoteRefusedError(f"Incorrect API key provided: {key}.", f"Check {key}.")
                error.__cause__ = ValueError(f"401 {key}")
                router, _ = noted(
                    vault,
                    [Rerouted("m", key, f"It said {key}."), Started("m", key), f"the key is {key}", error],
                    masker=masker,
                    bodies=True,
                )
                said = Message.user(f"my key: {key} and " + key * 2)
                try:
                    await answer(router, ChatRequest(model="m", messages=(Message.system(key), said)))
                except RemoteRefusedError as told:
                    logging.getLogger("app.somewhere").exception("it failed: %s", key)
                    seen += [str(told), repr(told), repr(told.__cause__), told.message, told.remedy]
                await router.aclose()
                rules = HeaderRules(force={"x-key": f"${{SERVICE_{number}_KEY}}\n"})
                endpoint = Endpoint(name="far", kind="openai", url="https://far.example", headers=rules)
                with pytest.raises(CatalogueError) as refused:
                    compile_rules(endpoint, environ, "models.toml")
                seen.append(str(refused.value))
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    rows = await vault.database.read(lambda c: [bytes(row[0]) for row in c.execute("SELECT details FROM audit")])
    others = await vault.database.read(lambda c: str(c.execute("SELECT backend, model, asked FROM audit").fetchall()))
    everything = "\n".join([*seen, *(row.decode() for row in rows), others, log.read_text()])
    assert len(rows) == len(keys) and everything.count(MASK) > 500
    for key in keys:
        core = next(
            part for part in key.replace("\\", " ").replace("/", " ").replace(".", " ").split() if len(part) > 11
        )
        assert key not in everything and core not in everything, key
