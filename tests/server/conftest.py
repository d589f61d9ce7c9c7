"""What the server's tests share."""

import openai
import pytest

from app.playground import Playground
from app.server.services import Services

from .scripted import ScriptedBackend, served, services_of


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend(["Hello", " there", "."])


@pytest.fixture
async def address(backend):
    async with served(services_of(backend)) as address:
        yield address


@pytest.fixture
async def client(address):
    async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=20) as client:
        yield client


@pytest.fixture
async def real_client(home_with_starter, environ):
    """The client on the real starter model."""
    playground = Playground.open(environ)
    try:
        async with (
            served(Services.of(playground)) as address,
            openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=60) as client,
        ):
            client.playground = playground
            yield client
    finally:
        await playground.aclose()
