"""Fifty secrets in keys, headers, bodies and providers' errors: none is in a log, an answer, a note or the doctor."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import string
import subprocess
import sys
from pathlib import Path

import httpx

from app.playground import Playground
from app.server.gate.gate import GateParts
from app.server.observing.parts import Observing
from app.server.services import Services
from app.vault.access.api_keys import new_secret
from tests.backends.provider import Answer, Received, provider

from .scripted import served

KINDS = ("openai", "anthropic", "ollama", "openai-compatible")
LETTERS = string.ascii_letters + string.digits
RANDOM = [secrets.token_hex(16) for _ in range(5)]
FORCED = [f"forced+{secrets.token_urlsafe(12)}/=" for _ in range(10)]
ENDPOINTS = [f"sk-proj-{''.join(secrets.choice(LETTERS) for _ in range(24))}" for _ in range(5)] + RANDOM
OURS = [new_secret() for _ in range(10)]
HEADERS = [f"cookie-{secrets.token_hex(12)}" for _ in range(10)]
BODIES = [f"ghp_{''.join(secrets.choice(LETTERS) for _ in range(36))}" for _ in range(10)]
PLANTED = FORCED + ENDPOINTS + OURS + HEADERS + BODIES
MESSAGES = [{"role": "user", "content": "?"}]
WAYS = {
    "/v1/chat/completions": {"messages": MESSAGES},
    "/v1/messages": {"messages": MESSAGES, "max_tokens": 9},
    "/api/chat": {"messages": MESSAGES},
}
_SETTINGS = """[privacy]
redact = false
[routing]
audit_bodies = true
[observability]
log_to = "file"
log_format = "{shape}"
log_level = "debug"
"""


def found_in(text: str) -> list[str]:
    return [secret for secret in PLANTED if secret in text or json.dumps(secret)[1:-1] in text]


def echoing(request: Received) -> Answer:
    """Says what it was shown, in every place where a provider could."""
    shown = " ".join(f"{name}: {value}" for name, value in request.headers.items())
    kind = request.body.get("model", "")[-1:]
    failure = f"Incorrect API key provided: {shown}"
    return {
        "0": Answer(text=("Fine.",), headers={"x-echo": shown[:2000], "x-request-id": "r-1"}),
        "1": Answer(status=401, error=failure, code="invalid_api_key"),
        "2": Answer(status=400, error=failure),
        "3": Answer(status=429, error=failure, headers={"retry-after": "1"}),
        "4": Answer(fails_after=2, error=failure),
        "5": Answer(status=500, body=failure.encode()),
    }[kind]


async def test_none_of_fifty_secrets_is_seen_anywhere(tmp_path: Path, environ, caplog):
    assert len(set(PLANTED)) == 50
    caplog.set_level(logging.DEBUG)
    for name in ("", "app", "uvicorn", "aiohttp", "asyncio", "httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    home = Path(environ["PLAYGROUND_HOME"])
    (home / "config").mkdir(parents=True, exist_ok=True)
    (home / "config" / "playground.toml").write_text(_SETTINGS.replace("{shape}", "json"))
    environ = {**environ, "PLAYGROUND_API_KEYS": ",".join(OURS)}
    seen: list[str] = []
    async with provider(echoing) as there:
        toml = ""
        for number, (key, forced) in enumerate(zip(ENDPOINTS, FORCED, strict=True)):
            kind = KINDS[number % 4]
            environ[f"PROVIDER_{number}_KEY"], environ[f"FORCED_{number}"] = key, forced
            toml += (
                f'[endpoints.place{number}]\nkind = "{kind}"\nurl = "{there.url(kind)}"\n'
                f'key = "env:PROVIDER_{number}_KEY"\nretries = 0\n'
                f'[endpoints.place{number}.headers]\nforce = {{ x-forced = "${{FORCED_{number}}}" }}\n'
            )
            for way in range(6):
                toml += f'[remote.m{number}-{way}]\nendpoint = "place{number}"\nmodel = "m-{way}"\n'
        (home / "config" / "models.toml").write_text(toml)
        playground = Playground.open(environ, face="server")
        await playground.vault.open()
        services = Services.of(playground)
        gate = GateParts.of(playground.vault, playground.settings, environ, policy=playground.policy)
        observing = Observing.start(services, playground.folders.logs, needs_vault=False, environ=environ)
        try:
            async with (
                served(services, gate=gate.around, observing=observing) as address,
                httpx.AsyncClient(base_url=address, trust_env=False, timeout=20) as client,
            ):
                for number in range(10):
                    headers = {
                        "x-api-key": OURS[number],
                        "cookie": f"session={HEADERS[number]}",
                        "x-secret-token": HEADERS[number],
                    }
                    for way in range(6):
                        for place, (path, body) in enumerate(WAYS.items()):
                            asked = {
                                **body,
                                "model": f"m{number}-{way}",
                                "stream": bool((number + way + place) % 2),
                            }
                            if way == 2:
                                asked |= {"metadata": {"token": BODIES[number]}}
                            found = await client.post(path, json=asked, headers=headers)
                            seen.append(f"{found.status_code} {found.headers} {found.text}")
                    other = "y" if OURS[number].endswith("x") else "x"
                    wrong = {"authorization": f"Bearer {OURS[number][:-1]}{other}"}
                    found = await client.post("/v1/chat/completions", json={}, headers=wrong)
                    assert found.status_code == 401
                    await client.post(f"/v1/{HEADERS[number]}", json={}, headers=headers)
                    asked = {"model": f"m{number}-1", "messages": [{"role": "user", "content": BODIES[number]}]}
                    await client.post("/v1/chat/completions", json=asked, headers=headers)
        finally:
            await gate.aclose()
            await playground.router.aclose()
            await observing.aclose()
            noted = [
                await playground.vault.audit.get(note.number) for note in await playground.vault.audit.notes(limit=1000)
            ]
            await playground.aclose()
    # The providers did get their keys: this test would see them.
    sent = " ".join(str(request.headers) for request in there.received)
    assert all(secret in sent for secret in ENDPOINTS + FORCED)
    assert not any(secret in sent for secret in OURS + HEADERS)
    assert len(noted) > 100 and len(seen) == 180 and sum("Incorrect" in one for one in seen) > 50
    logs = "".join(file.read_text() for file in playground.folders.logs.rglob("*") if file.is_file())
    assert logs.count("/v1/chat/completions") > 60
    command = [sys.executable, "-m", "app", "doctor", "--json"]
    shown = await asyncio.to_thread(
        subprocess.run, command, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert "settings" in shown.stdout
    assert [one[-400:] for one in seen if found_in(one)] == []
    assert [line[:300] for line in logs.splitlines() if found_in(line)] == []
    assert found_in(re.sub(r"\s+", " ", repr(noted))) == []
    assert found_in(shown.stdout + shown.stderr) == []
    ours = [record for record in caplog.records if record.name.split(".")[0] not in ("httpx", "httpcore")]
    assert [one.name for one in ours if found_in(one.getMessage())] == []
    assert found_in("\n".join(f"{record.getMessage()} {record.exc_info}" for record in ours)) == []
