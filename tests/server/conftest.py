"""What the server's tests share."""

import os
from contextlib import asynccontextmanager

import openai
import pytest
import pytest_asyncio

from app.playground import Playground
from app.server.services import Services
from tests.conftest import install

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
    async with on_starter(environ) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lasting_client(starter_model, tmp_path_factory):
    """The same for all tests of a file, so that the model is loaded once; they run in the module's event loop."""
    home = tmp_path_factory.mktemp("home")
    install(home, starter_model)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PLAYGROUND_")}
    async with on_starter({**environ, "PLAYGROUND_HOME": str(home)}) as client:
        yield client


@asynccontextmanager
async def on_starter(environ):
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
