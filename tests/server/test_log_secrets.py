"""Keys that only the vault or a keyring holds are unknown at the start: once they are used, no log line has them."""

from __future__ import annotations

import json
import logging
import secrets
from pathlib import Path

import httpx
import pytest

from app.backends.credentials import Credentials
from app.playground import Playground
from app.server.observing.logs import FILE
from app.server.observing.parts import Observing
from app.server.services import Services
from tests.backends.provider import Answer, Received, provider

from .scripted import served

_SETTINGS = """[privacy]
redact = false
[observability]
log_to = "file"
log_format = "{shape}"
log_level = "debug"
"""
MESSAGES = [{"role": "user", "content": "?"}]


@pytest.mark.parametrize("shape", ["json", "pretty"])
async def test_keys_of_the_vault_and_of_a_keyring_are_in_no_line(tmp_path: Path, environ, monkeypatch, shape):
    # Nothing about them tells that they are secrets.
    of_vault, of_keyring = secrets.token_hex(16), secrets.token_hex(16)
    monkeypatch.setattr("app.backends.credentials._get", lambda name: of_keyring)
    home = Path(environ["PLAYGROUND_HOME"])
    (home / "config").mkdir(parents=True)
    (home / "config" / "playground.toml").write_text(_SETTINGS.replace("{shape}", shape))

    def answer(request: Received) -> Answer:
        return Answer(text=("Fine.",)) if request.body["model"] == "m" else Answer(status=401, error="No.")

    async with provider(answer) as there:
        url = there.url("openai")
        (home / "config" / "models.toml").write_text(
            f'[endpoints.one]\nkind = "openai"\nurl = "{url}"\nkey = "vault:one"\nretries = 0\n'
            f'[endpoints.two]\nkind = "openai"\nurl = "{url}"\nkey = "keyring:two"\nretries = 0\n'
            '[remote.one]\nendpoint = "one"\nmodel = "m"\n'
            '[remote.two]\nendpoint = "two"\nmodel = "m"\n'
            # Somebody has pasted a key where a name belongs.
            f'[remote.{of_vault}]\nendpoint = "two"\nmodel = "m"\n'
            f'[remote.{of_keyring}]\nendpoint = "one"\nmodel = "refused"\n'
        )
        playground = Playground.open(environ, face="server")
        await playground.vault.open()
        await Credentials({}, playground.vault).keep("vault:one", of_vault)
        observing = Observing.start(Services.of(playground), playground.folders.logs, needs_vault=False)
        try:
            async with (
                served(Services.of(playground), observing=observing) as address,
                httpx.AsyncClient(base_url=address, trust_env=False, timeout=20) as client,
            ):
                for name in ("one", "two", of_vault, of_keyring):
                    body = {"model": name, "messages": MESSAGES}
                    await client.post("/v1/chat/completions", json=body)
                    await client.post("/generate", json={"model": name, "prompt": "?"})
                logging.getLogger("app.some.part").debug("sent %s and %s", of_vault, of_keyring)
                try:
                    raise ValueError(of_keyring)
                except ValueError:
                    logging.getLogger("app.some.part").exception("it failed")
        finally:
            await observing.aclose()
            await playground.aclose()
    assert {request.headers["authorization"] for request in there.received} == {
        f"Bearer {of_vault}",
        f"Bearer {of_keyring}",
    }
    text = (playground.folders.logs / FILE).read_text()
    assert text.count("/v1/chat/completions") == text.count("/generate") == 4
    assert [line for line in text.splitlines() if of_vault in line or of_keyring in line] == []
    if shape == "json":
        models = [line["access"]["model"] for line in map(json.loads, text.splitlines()) if "access" in line]
        assert models == ["one"] * 2 + ["two"] * 2 + ["•••"] * 4
