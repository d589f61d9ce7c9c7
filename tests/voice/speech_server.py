"""A small server that transcribes as OpenAI does: it hears what is sent, and answers as told."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Sent:
    """One recording as it came: what was asked, with which key, and the sound."""

    path: str
    key: str
    fields: dict[str, str]
    file: str
    seconds: float
    rate: int
    samples: bytes


@dataclass
class SpeechServer:
    """What it was sent, and what it says: texts in turn, the last one again and again; or a status and a body."""

    texts: list[str] = field(default_factory=lambda: ["the tide came in"])
    status: int = 200
    body: Any = None
    sent: list[Sent] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        with wave.open(io.BytesIO(file.file.read())) as sound:
            assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
            samples = sound.readframes(sound.getnframes())
            seconds, rate = sound.getnframes() / sound.getframerate(), sound.getframerate()
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        key = request.headers.get("authorization", "")
        self.sent.append(Sent(request.path, key, fields, file.filename, seconds, rate, samples))
        if self.status != 200:
            return web.json_response({"error": {"message": f"no, {key}"}}, status=self.status)
        if self.body is not None:
            return web.json_response(self.body)
        text = self.texts[min(len(self.sent), len(self.texts)) - 1]
        if fields["response_format"] == "json":
            return web.json_response({"text": text})
        half = seconds / 2
        return web.json_response(
            {
                "text": text,
                "language": "english",
                "segments": [{"start": 0.0, "end": half, "text": text}, {"start": half, "end": seconds, "text": "!"}],
            }
        )


@asynccontextmanager
async def speech_server(**options: Any) -> AsyncGenerator[SpeechServer, None]:
    """A server for the block."""
    there = SpeechServer(**options)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/audio/transcriptions", there.answer)
    app.router.add_post("/v1/audio/translations", there.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        there.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        yield there
    finally:
        await runner.cleanup()
