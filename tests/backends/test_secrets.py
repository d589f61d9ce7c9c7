"""Fifty keys, every way to fail: none is ever in an error, a log, a representation or a preview."""

from __future__ import annotations

import asyncio
import io
import logging
import secrets
import traceback
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.backends.credentials import NOTE, Credentials
from app.backends.endpoint import Endpoint
from app.backends.raw import RawRequest
from app.backends.remote import RemoteBackend
from app.backends.rules import NoChange
from app.errors import CatalogueError, CredentialError, PlaygroundError, RemoteTimeoutError, VaultLockedError
from app.privacy.connections import ConnectionPolicy

from .provider import Answer, Provider, Received, provider
from .reaching import KINDS, all_of, asking, reaching

SHAPES = (
    lambda: f"sk-proj-{secrets.token_urlsafe(24)}",
    lambda: secrets.token_hex(16),
    lambda: f"key+{secrets.token_urlsafe(9)}/==",
    lambda: f'q"{secrets.token_urlsafe(9)}\\x',
    lambda: f"gsk_{secrets.token_hex(20)}",
)
PLANTED = [shape() for shape in SHAPES for _ in range(10)]


class Forced(NoChange):
    """A header with another secret, as a rule of the user sets it."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self.secrets = (secret,)

    def exchange(self, protocol: object) -> Forced:
        return self

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {"x-forced": self._secret}


def everything_of(error: BaseException) -> str:
    """All that a handler, a log or a debugger's ``repr`` would show of it, causes included."""
    said = io.StringIO()
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        said.write(f"{found!s} {found!r} {found.args!r} {vars(found)!r}\n")
        found = found.__cause__ or found.__context__
    said.write("".join(traceback.format_exception(error)))
    return said.getvalue()


def echoing(request: Received, kind: str) -> Answer:
    shown = " ".join(request.headers.get(name, "") for name in ("authorization", "x-api-key", "x-forced"))
    match kind:
        case "error":
            return Answer(status=401, error=f"Incorrect API key provided: {shown}. {shown}")
        case "text":
            return Answer(status=500, body=f"no: {shown}".encode())
        case "stream":
            return Answer(fails_after=2, error=f"failed for {shown}")
        case "redirect":
            return Answer(status=302, headers={"location": f"https://x.example/?key={shown.strip()}"}, body=b"")
        case _:
            return Answer(dies_after=-1)


@asynccontextmanager
async def logged() -> AsyncIterator[io.StringIO]:
    shown = io.StringIO()
    handler = logging.StreamHandler(shown)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield shown
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


async def attempts(there: Provider | str, kind: Any, key: str, forced: str) -> list[str]:
    shown: list[str] = []
    async with reaching(there, kind, key="env:K", environ={"K": key}, rules=Forced(forced), read_s=5) as backend:
        shown.append(repr(backend) + repr(backend.preview(asking())) + repr(vars(backend)))
        request = RawRequest(
            protocol={"anthropic": "anthropic", "ollama": "ollama"}.get(kind, "openai-chat"),
            model="m",
            body={"messages": [], "max_tokens": 1, "stream": True},
            stream=True,
        )

        async def pieces() -> None:
            async for _ in (await backend.raw(request)).pieces:
                pass

        for attempt in (all_of(backend.stream(asking())), pieces(), backend.models(), backend.check()):
            try:
                await attempt
            except PlaygroundError as error:
                shown.append(everything_of(error))
    return shown


@pytest.mark.parametrize("how", ["error", "text", "stream", "redirect", "dies"])
async def test_no_secret_is_ever_shown(how: str) -> None:
    async with logged() as log, provider(lambda request: echoing(request, how)) as there:
        for number, key in enumerate(PLANTED):
            forced = PLANTED[(number + 7) % len(PLANTED)]
            shown = "\n".join(await attempts(there, KINDS[number % 4], key, forced)) + log.getvalue()
            assert len(shown) > 500
            for secret in (key, forced):
                assert secret not in shown
                assert repr(secret)[1:-1] not in shown
            log.truncate(0)
    asked = "".join(str(request.headers) for request in there.received)
    assert all(key in asked or repr(key)[1:-1] in asked for key in PLANTED)


async def test_no_secret_is_shown_when_nobody_is_there() -> None:
    async with logged() as log:
        for number, key in enumerate(PLANTED[::5]):
            shown = "\n".join(await attempts("http://127.0.0.1:9/v1", KINDS[number % 4], key, key)) + log.getvalue()
            assert key not in shown
            assert "cannot be reached" in shown


async def test_a_password_in_an_address_is_refused_unseen() -> None:
    with pytest.raises(CatalogueError) as raised:
        await attempts("https://user:t0ken@127.0.0.1:9/v1", "openai", "key", "key")
    assert "t0ken" not in str(raised.value)


@pytest.mark.parametrize("bad", ["abc\ndef-t0ken", "abc\r\nX: y-t0ken", "ключ-t0ken", "a\0b-t0ken", "   "])
async def test_what_cannot_be_a_key_is_refused_unseen(bad: str) -> None:
    with pytest.raises(CredentialError) as raised:
        await Credentials({"K": bad}, None).key("env:K")
    assert "t0ken" not in everything_of(raised.value)


@pytest.mark.parametrize("bad", ["sk-proj-t0ken", "file:/etc/t0ken", "env:", "env:a t0ken", ":x", "env"])
async def test_a_key_in_the_place_of_a_reference_is_not_repeated(bad: str) -> None:
    with pytest.raises(CredentialError) as raised:
        await Credentials({}, None).key(bad)
    assert "t0ken" not in everything_of(raised.value)


class Vault:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.locked = False

    @property
    def notes(self) -> Vault:
        return self

    async def get(self, name: str) -> bytes | None:
        if self.locked:
            raise VaultLockedError("locked")
        return self.kept.get(name)

    async def put(self, name: str, value: bytes) -> None:
        self.kept[name] = value


async def test_keys_in_the_vault() -> None:
    vault = Vault()
    credentials = Credentials({}, vault)
    with pytest.raises(CredentialError, match="vault:openai"):
        await credentials.key("vault:openai")
    await credentials.keep("vault:openai", "the-key")
    assert vault.kept == {f"{NOTE}openai": b"the-key"}
    assert await credentials.key("vault:openai") == "the-key"
    vault.locked = True
    with pytest.raises(VaultLockedError):
        await credentials.key("vault:openai")
    assert "the-key" not in repr(credentials)


async def test_a_key_that_does_not_come_is_waited_for_no_longer_than_the_answer() -> None:
    class Slow(Vault):
        async def get(self, name: str) -> bytes | None:
            await asyncio.sleep(60)
            return None

    endpoint = Endpoint(name="there", kind="openai", url="http://127.0.0.1:1/v1", key="vault:openai")
    policy = ConnectionPolicy(local_only=False)
    backend = RemoteBackend(endpoint, NoChange(), Credentials({}, Slow()), policy)
    deadline = asyncio.get_running_loop().time() + 0.05
    with pytest.raises(RemoteTimeoutError, match="there had not answered in full"):
        await backend.raw(RawRequest(protocol="openai-chat", model="m", body={}, deadline=deadline))
    assert asyncio.get_running_loop().time() < deadline + 5
    await backend.aclose()


async def test_keys_in_the_keyring_are_remembered_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring

    kept: dict[tuple[str, str], str] = {}
    asked: list[str] = []

    def get(service: str, name: str) -> str | None:
        asked.append(name)
        return kept.get((service, name))

    monkeypatch.setattr(keyring, "get_password", get)
    monkeypatch.setattr(keyring, "set_password", lambda s, n, v: kept.update({(s, n): v}))
    now = 0.0
    credentials = Credentials({}, None, clock=lambda: now)
    with pytest.raises(CredentialError):
        await credentials.key("keyring:openai")
    await credentials.keep("keyring:openai", "one")
    assert [await credentials.key("keyring:openai") for _ in range(3)] == ["one"] * 3
    assert len(asked) == 2
    now = 301.0
    await credentials.key("keyring:openai")
    assert len(asked) == 3
    await credentials.keep("keyring:openai", "two")
    assert await credentials.key("keyring:openai") == "two"
    assert "two" not in repr(credentials)
    with pytest.raises(CredentialError):
        await credentials.keep("env:X", "three")
    assert await credentials.key("") == ""
