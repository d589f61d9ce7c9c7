"""``playground web``: the real interface in a page, which is played by a client of its WebSocket and a screen."""

import asyncio
import signal
from urllib.parse import urlsplit

import msgspec
import pyte
import pytest
import websockets

from tests.cli.scripted import PLAYGROUND

F8 = "\x1b[19~"


@pytest.mark.usefixtures("home_with_starter")
async def test_the_interface_opens_in_a_page_takes_keys_and_ends(environ):
    program = await asyncio.create_subprocess_exec(
        *PLAYGROUND, "--local-only", "web", "--port", "0", env=environ, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(60):
            address = (await program.stdout.readline()).decode().strip()
            parts = urlsplit(address)
            origin = f"http://{parts.netloc}"
            async with websockets.connect(f"ws://{parts.netloc}{parts.path}terminal", origin=origin) as socket:
                screen = pyte.Screen(80, 24)
                stream = pyte.ByteStream(screen)

                async def until(words):
                    while words not in "\n".join(screen.display):
                        stream.feed(await socket.recv(decode=False))

                await until("Ask anything")
                await until("local only")
                await socket.send(msgspec.json.encode(["stdin", F8]).decode())
                await until("SmolLM2")
                await socket.send(msgspec.json.encode(["stdin", "\x11"]).decode())  # Ctrl+Q
                await socket.wait_closed()
                assert socket.close_code == 1000
            program.send_signal(signal.SIGINT)
            assert await program.wait() == 0
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
