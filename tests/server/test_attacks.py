"""The attacks that the server must withstand, each tried on a real socket."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import hmac
import json
import logging
import time

import jwt
import pytest
import websockets

from app.server.auth import keys as keys_module
from app.vault.access import api_keys as vault_keys_module
from app.vault.access.passwords import hashed
from tests.server.gated import gated, new_vault, settings

CHAT = "/v1/chat/completions"
PASSWORD = "correct horse battery"


@pytest.fixture
async def vault(tmp_path):
    made = await new_vault(tmp_path / "data")
    yield made
    await made.close()


@pytest.fixture
async def key(vault):
    _, text = await vault.api_keys.create("editor")
    return text


async def login(server, name="anna", password=PASSWORD):
    return await server.ask("POST", "/auth/login", json={"name": name, "password": password})


# Names and pages


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example:{port}",
        "localhost.evil.example:{port}",
        "2130706433:{port}",
        "0x7f000001:{port}",
        "127.1:{port}",
        "127.0.0.1:80",
        "[::ffff:127.0.0.1]:1",
        "localhost:{port}@evil.example",
        "evil.example/@127.0.0.1:{port}",
        "localhost:{port}, evil.example",
        "",
    ],
)
async def test_rebinding_a_name_that_is_not_ours_is_refused_even_without_keys(vault, host):
    async with gated(vault, no_auth=True) as server:
        answer = await server.ask("GET", "/v1/models", headers={"host": host.format(port=server.port)})
        assert answer.status_code in (400, 421)
        assert server.seen == []


async def test_two_host_headers_or_none_are_refused(vault):
    async with gated(vault, no_auth=True) as server:
        own = f"Host: 127.0.0.1:{server.port}\r\n".encode()
        for head in (own + b"Host: evil.example\r\n", b"Host: evil.example\r\n" + own, b""):
            said = await server.raw(b"GET /v1/models HTTP/1.1\r\n" + head + b"\r\n")
            assert said.startswith(b"HTTP/1.1 400 "), said[:60]
        absolute = b"GET http://evil.example/v1/models HTTP/1.1\r\nHost: evil.example\r\n\r\n"
        assert (await server.raw(absolute)).startswith(b"HTTP/1.1 421 ")
        assert server.seen == []


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://", "*"])
async def test_a_foreign_page_is_refused_over_http(vault, origin):
    async with gated(vault, no_auth=True) as server:
        for method in ("GET", "POST", "OPTIONS"):
            headers = {"origin": origin, "access-control-request-method": "POST"}
            answer = await server.ask(method, CHAT, headers=headers)
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers
        hidden = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
        assert (await server.ask("GET", "/v1/models", headers=hidden)).status_code == 403
        assert server.seen == []


async def test_a_foreign_page_is_refused_over_websocket_before_the_handshake_ends(vault, key):
    async with gated(vault) as server:
        address = f"ws://127.0.0.1:{server.port}/v1/chat/ws"
        bearer = {"authorization": f"Bearer {key}"}
        for headers, status in (
            ({**bearer, "origin": "https://evil.example"}, 403),
            ({**bearer, "origin": "null"}, 403),
            ({}, 401),
            ({"authorization": "Bearer pg-" + "x" * 43}, 401),
        ):
            with pytest.raises(websockets.InvalidStatus) as caught:
                async with websockets.connect(address, additional_headers=headers, proxy=None):
                    pass
            assert caught.value.response.status_code == status
            assert json.loads(caught.value.response.body)["error"]["message"]
        assert server.seen == []
        own = {**bearer, "origin": f"http://127.0.0.1:{server.port}"}
        async with websockets.connect(address, additional_headers=own, proxy=None) as socket:
            await socket.send("hello")
            assert await socket.recv() == "hello"


# Keys


async def test_missing_unknown_expired_revoked_and_narrow_keys_are_refused(vault):
    _, expired = await vault.api_keys.create("expired", expires_at=time.time() - 1)
    gone, revoked = await vault.api_keys.create("revoked")
    await vault.api_keys.revoke(gone.id)
    _, embed = await vault.api_keys.create("embed", ["embed"])
    async with gated(vault) as server:
        for text, status in (
            (None, 401),
            ("pg-" + "0" * 43, 401),
            ("pg-short", 401),
            ("x" * 5000, 401),
            (expired, 401),
            (revoked, 401),
            (embed, 403),
        ):
            answer = await server.ask("POST", CHAT, text, json={})
            assert answer.status_code == status
            assert text is None or text not in answer.text
        assert "expired" in (await server.ask("POST", CHAT, expired, json={})).text
        assert "revoked" in (await server.ask("POST", CHAT, revoked, json={})).text
        assert "'chat'" in (await server.ask("POST", CHAT, embed, json={})).text
        basic = base64.b64encode(b"a:b").decode()
        assert (await server.ask("POST", CHAT, headers={"authorization": f"Basic {basic}"}, json={})).status_code == 401
        assert server.seen == []
        assert (await server.ask("POST", "/v1/embeddings", embed, json={})).status_code == 200
        for path in ("/sessions", "/v1/models/a/load", "/users", "/keys", "/metrics", "/not/written/down"):
            assert (await server.ask("POST", path, embed, json={})).status_code == 403, path


async def test_a_key_that_is_revoked_while_it_is_used_ends_within_a_second(vault, key):
    async with gated(vault) as server:
        assert (await server.ask("POST", CHAT, key, json={})).status_code == 200
        await vault.api_keys.revoke((await vault.api_keys.find("editor")).id)
        await asyncio.sleep(1.1)
        assert (await server.ask("POST", CHAT, key, json={})).status_code == 401


async def test_keys_are_compared_in_constant_time(vault, key, monkeypatch):
    compared = []

    class Watched:
        @staticmethod
        def compare_digest(one, other):
            compared.append((len(one), len(other)))
            return hmac.compare_digest(one, other)

    monkeypatch.setattr(keys_module, "hmac", Watched)
    monkeypatch.setattr(vault_keys_module, "hmac", Watched)
    fixed = "the-first-fixed-key,the-second-fixed-key,the-third-fixed-key"
    async with gated(vault, environ={"PLAYGROUND_API_KEYS": fixed}) as server:
        assert (await server.ask("GET", "/v1/models", "the-first-fixed-key")).status_code == 200
        assert compared == [(32, 32)] * 3  # a match does not end the comparing early
        compared.clear()
        assert (await server.ask("GET", "/v1/models", key)).status_code == 200
        assert compared == [(32, 32)] * 4


# Tokens


async def test_tokens_that_are_forged_in_any_way_are_refused(vault):
    await vault.users.add("anna", await asyncio.to_thread(hashed, PASSWORD), "admin")
    async with gated(vault) as server:
        good = (await login(server)).json()["access_token"]
        claims = jwt.decode(good, options={"verify_signature": False})
        secret = await vault.secrets.get_or_make("token-signing")
        assert len(secret) >= 32
        assert (await server.ask("GET", "/auth/me", good)).json()["name"] == "anna"
        head, body, signature = good.split(".")
        unsigned = jwt.encode(claims, None, algorithm="none")
        forged = [
            unsigned,
            unsigned.rstrip("."),
            f"{unsigned}{signature}",
            jwt.encode(claims, b"another secret of thirty-two byte", algorithm="HS256"),
            jwt.encode(claims, secret, algorithm="HS384"),
            jwt.encode(claims, secret, algorithm="HS512"),
            jwt.encode({**claims, "exp": int(time.time()) - 1}, secret, algorithm="HS256"),
            jwt.encode({**claims, "aud": "another"}, secret, algorithm="HS256"),
            jwt.encode({**claims, "iss": "another"}, secret, algorithm="HS256"),
            jwt.encode({**claims, "sub": "eve"}, secret, algorithm="HS256"),
            jwt.encode({**claims, "sid": "0" * 32}, secret, algorithm="HS256"),
            *(
                jwt.encode({k: v for k, v in claims.items() if k != missing}, secret, algorithm="HS256")
                for missing in ("exp", "aud", "iss", "sub", "sid", "jti", "iat")
            ),
            f"{head}.{body}.",
            f"{head}.{body}.{signature[:-4]}AAAA",
            "a.b.c",
            "..",
        ]
        for token in forged:
            answer = await server.ask("GET", "/auth/me", token)
            assert answer.status_code == 401, token
            assert token not in answer.text


# Bodies


async def test_a_body_of_100_megabytes_is_refused_and_the_client_reads_why(vault, key):
    async with gated(vault, settings(server={"max_body_bytes": 1024 * 1024})) as server:
        announced = await server.ask("POST", CHAT, key, content=b"x" * 100_000_000)
        assert (announced.status_code, announced.json()["error"]["code"]) == (413, "request_too_large")

        async def pieces():
            for _ in range(100):
                yield b"x" * 1_000_000

        assert (await server.ask("POST", CHAT, key, content=pieces())).status_code == 413
        lie = (
            f"POST {CHAT} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nx-api-key: {key}\r\n"
            "Content-Length: 99999999999999999999\r\n\r\n"
        )
        assert (await server.raw(lie.encode())).split(b" ")[1] in (b"400", b"413")
        assert server.seen == []
        assert (await server.ask("POST", CHAT, key, content=b"[" + b"1," * 400_000 + b"1]")).status_code == 200


async def test_a_recording_that_grows_too_large_while_it_is_read_is_refused_too(vault, key):
    async def pieces():
        for _ in range(30):
            yield b"x" * 100_000

    async with gated(vault, settings(server={"max_audio_bytes": 1_000_000})) as server:
        answer = await server.ask("POST", "/v1/audio/transcriptions", key, content=pieces())
        assert answer.status_code == 413


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "identity, gzip"])
async def test_a_gzip_bomb_is_not_even_opened(vault, key, encoding):
    bomb = gzip.compress(b" " * 50_000_000)
    async with gated(vault) as server:
        headers = {"content-encoding": encoding, "content-type": "application/json"}
        answer = await server.ask("POST", CHAT, key, content=bomb, headers=headers)
        assert answer.status_code == 415
        assert server.seen == []


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b'{"a":' * 200_000,
        b'{"a":[' * 500 + b"1" + b"]}" * 500,
        b'["\\"[[[", ' + b"[" * 200 + b"]" * 201,
    ],
    ids=["arrays", "objects", "both", "behind quotes"],
)
@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x"])
async def test_json_that_is_nested_without_end_is_refused(vault, key, body, kind):
    async with gated(vault) as server:
        started = time.monotonic()
        answer = await server.ask("POST", CHAT, key, content=body, headers={"content-type": kind})
        assert (answer.status_code, time.monotonic() - started < 2) == (400, True)
        assert server.seen == []


async def test_a_million_unended_quotes_cost_no_time(vault, key):
    async with gated(vault) as server:
        for body in (
            b"[" * 200 + b'"' + b'\\"' * 500_000,
            b"[" * 101 + b'"' * 1_000_001,
            b"{" * 101 + b"\\" * 1_000_000,
        ):
            started = time.monotonic()
            assert (await server.ask("POST", CHAT, key, content=body)).status_code == 400
            assert time.monotonic() - started < 2


async def test_json_that_is_deep_enough_for_honest_use_passes(vault, key):
    async with gated(vault) as server:
        body = {"text": "[" * 10_000 + '"' + "{" * 10_000, "list": [[]] * 5000, "deep": json.loads("[" * 90 + "]" * 90)}
        assert (await server.ask("POST", CHAT, key, json=body)).status_code == 200
        broken = await server.ask("POST", CHAT, key, content=b'{"a":', headers={"content-type": "application/json"})
        assert (broken.status_code, "not JSON" in broken.text) == (400, True)


# Paths and headers


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/../../etc/passwd",
        "/v1/models/%2e%2e/%2e%2e/etc/passwd",
        "/v1/models/..%2f..%2fetc%2fpasswd",
        "/v1/models/a/./b",
        "/v1/models/..%5c..%5cwindows",
        "/v1/models/a%00.gguf",
        "/v1/models/a%0d%0aX-Forged:%201",
        "/sessions/..%2f..%2fvault.key",
        "/sessions/%2e%2e",
        "/health/../v1/models",
        "/health/%2e%2e/keys",
    ],
)
async def test_paths_that_climb_are_refused(vault, path):
    async with gated(vault, no_auth=True) as server:
        own = f"Host: 127.0.0.1:{server.port}\r\n"
        for method in ("GET", "DELETE"):
            said = await server.raw(f"{method} {path} HTTP/1.1\r\n{own}\r\n".encode())
            assert said.startswith(b"HTTP/1.1 400 "), said[:80]
            assert b"X-Forged" not in said.partition(b"\r\n\r\n")[0]
        assert server.seen == []


async def test_headers_cannot_be_smuggled_into_answers_or_requests(vault):
    page = "https://notes.example"
    async with gated(vault, settings(server={"cors_origins": (page,)}), no_auth=True) as server:
        own = f"Host: 127.0.0.1:{server.port}\r\n".encode()
        for line in (
            b"Origin: https://notes.example\rSet-Cookie: a=b\r\n",
            b"Origin: https://notes.example\x00\r\n",
            b"x-api-key: a\nX-Forged: 1\r\n b\r\n",
            b"bad header: 1\r\n",
            b"Content-Length: 1\r\nContent-Length: 2\r\n",
            b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            b"Content-Length: -1\r\n",
            b"Transfer-Encoding: xchunked\r\n",
        ):
            said = await server.raw(
                b"POST /v1/models HTTP/1.1\r\n" + own + line + b"Connection: close\r\n\r\n0\r\n\r\n"
            )
            head = said.partition(b"\r\n\r\n")[0].lower()
            assert b"set-cookie" not in head and b"x-forged" not in head
            if not line.startswith((b"x-api-key",)):
                assert head.startswith((b"http/1.1 400 ", b"http/1.1 403 ", b"http/1.1 501 ")), (line, head)
        large = await server.ask("GET", "/v1/models", headers={"x-large": "a" * 70_000})
        assert large.status_code == 431
        many = {f"x-{number}": "1" for number in range(200)}
        assert (await server.ask("GET", "/v1/models", headers=many)).status_code == 431


# Patience


async def test_slow_loris_a_head_that_never_ends_is_cut_off(vault):
    async with gated(vault, settings(head_s=0.5), no_auth=True) as server:
        started = time.monotonic()

        async def trickle():
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            said = asyncio.create_task(reader.read())
            with contextlib.suppress(ConnectionError):
                writer.write(b"GET /v1/models HTTP/1.1\r\n")
                for number in range(100):
                    writer.write(f"X-{number}: 1\r\n".encode())
                    await asyncio.sleep(0.05)
                    if said.done():
                        break
            writer.close()
            return await said

        answers = await asyncio.gather(*(trickle() for _ in range(50)))
        assert all(said.startswith(b"HTTP/1.1 408 ") for said in answers)
        assert time.monotonic() - started < 4
        assert await server.raw(b"", 3) != b"not closed"  # silence from the beginning ends too
        assert (await server.ask("GET", "/v1/models")).status_code == 200


async def test_slow_loris_a_body_that_never_ends_is_cut_off(vault, key):
    async with gated(vault, settings(body_s=0.5)) as server:
        for path in (CHAT, "/v1/audio/transcriptions"):
            head = (
                f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nx-api-key: {key}\r\nContent-Length: 1000\r\n"
            )
            started = time.monotonic()
            said = await server.raw(head.encode() + b"\r\n{")
            assert said.startswith(b"HTTP/1.1 408 ") and time.monotonic() - started < 3


async def test_the_next_request_on_a_kept_connection_is_timed_too_and_an_answer_may_take_longer(vault):
    async with gated(vault, settings(head_s=0.4), no_auth=True) as server:
        own = f"Host: 127.0.0.1:{server.port}\r\n".encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /v1/models HTTP/1.1\r\n" + own + b"\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.6)  # an idle connection is kept
        writer.write(b"GET /v1/mod")
        said = await asyncio.wait_for(reader.read(), 3)
        assert b"HTTP/1.1 408 " in said
        writer.close()


async def test_a_head_without_end_does_not_fill_the_memory(vault):
    async with gated(vault, settings(head_bytes=20_000), no_auth=True) as server:
        said = await server.raw(b"GET /v1/models HTTP/1.1\r\nX-Long: " + b"a" * 400_000)
        assert said == b"" or said.startswith(b"HTTP/1.1 431 ")


# Guessing


async def test_brute_force_on_login_is_stopped_after_five_attempts(vault):
    await vault.users.add("anna", await asyncio.to_thread(hashed, PASSWORD))
    async with gated(vault) as server:
        statuses = [(await login(server, password=f"guess number {n}")).status_code for n in range(7)]
        assert statuses == [401] * 5 + [429] * 2
        right = await login(server)
        assert right.status_code == 429 and 1 <= int(right.headers["retry-after"]) <= 61


async def test_a_name_that_does_not_exist_is_refused_in_the_same_words_and_time(vault):
    await vault.users.add("anna", await asyncio.to_thread(hashed, PASSWORD))
    async with gated(vault) as server:
        await login(server, "warm", "up the first hash")
        times, texts = {}, {}
        for name in ("anna", "nobody-here"):
            started = time.monotonic()
            answer = await login(server, name, "not the password")
            times[name], texts[name] = time.monotonic() - started, answer.text
            assert answer.status_code == 401
        assert texts["anna"] == texts["nobody-here"]
        assert times["nobody-here"] > times["anna"] / 4


async def test_an_address_that_does_nothing_but_fail_is_blocked_each_time_for_longer(vault, key):
    chosen = settings(block_after=5, block_s=1.0, block_loopback=True)
    async with gated(vault, chosen) as server:
        for expected in (1, 2):
            for _ in range(5):
                assert (await server.ask("GET", "/v1/models", "pg-wrong")).status_code == 401
            blocked = await server.ask("GET", "/v1/models", key)
            assert blocked.status_code == 429
            assert expected - 1 < int(blocked.headers["retry-after"]) <= expected
            await asyncio.sleep(expected)
        assert (await server.ask("GET", "/v1/models", key)).status_code == 200


# Logs


async def test_line_ends_in_what_is_logged_are_escaped_and_secrets_are_not_logged(vault, key, caplog):
    caplog.set_level(logging.DEBUG)
    await vault.users.add("anna", await asyncio.to_thread(hashed, PASSWORD))
    fixed = "a-fixed-key-of-the-environment"
    async with gated(vault, environ={"PLAYGROUND_API_KEYS": fixed}) as server:
        for path in ("/v1/models/a%0aINFO%20forged", "/v1/models/a%0d%0aforged", "/%1b[31m", "/%e2%80%a8forged"):
            await server.ask("GET", path)
            await server.ask("GET", path, key)
        signed = (await login(server)).json()
        await login(server, password="the wrong secret")
        await server.ask("GET", "/v1/models", fixed)
        await server.ask("GET", "/v1/models", key + "x")
        await server.ask("GET", "/v1/models", signed["access_token"][:-2])
        await server.ask("POST", "/auth/refresh", json={"refresh_token": signed["refresh_token"]})
        assert key not in repr(server.parts) and fixed not in repr(server.parts)
        secret = await vault.secrets.get_or_make("token-signing")
        assert repr(secret) not in repr(vars(server.parts.identification))
    ours = [record for record in caplog.records if record.name.startswith("app.server")]
    lines = [record.getMessage() for record in ours]
    assert len(lines) >= 8 and all("\n" not in line and "\r" not in line and "\x1b" not in line for line in lines)
    assert not any("forged" in line for line in lines)  # routes are noted, not what a client made up
    everything = "\n".join(record.getMessage() for record in caplog.records if record.name != "httpcore.http11")
    for secret_text in (key, fixed, PASSWORD, "the wrong secret", *signed.values()):
        if isinstance(secret_text, str) and len(secret_text) > 8:
            assert secret_text not in everything
