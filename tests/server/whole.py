"""A whole server in a thread of its own: every route, a real vault, models that say what they are told to."""

import asyncio
import dataclasses
import struct
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy

from app.engine.catalogues.catalogue import Catalogue, shipped
from app.engine.embeddings import Embeddings
from app.engine.events import Loaded
from app.engine.fitting import Placement
from app.engine.slot import LoadedModel
from app.engine.speech import SpeechProgress, SpeechSegment, SpokenLanguage
from app.errors import EngineError, NotSupportedError
from app.messages import Message, Node
from app.server.app import build
from app.server.gate.gate import GateParts
from app.server.observing.parts import Observing
from app.server.services import Services
from app.server.serving import Serving, listen
from app.settings import Settings
from app.vault import Vault
from app.vault.conversations.records import WholeSession
from app.vault.conversations.sessions import new_session

from .scripted import ScriptedBackend, services_of

MODEL = "smollm2-135m"
EMBEDDING = "all-minilm-l6-v2"
SPEECH = "whisper-base"
KEY = "0123456789abcdef-of-tests"
_LOADED = Loaded("a model", 8192, 8192, 8192, 4, "cpu", 0, 30, 100_000_000)


class Installed:
    """A store in which every model lies; as one small file."""

    def __init__(self, file):
        self._file = file

    def path_of(self, entry):
        return self._file

    def digest_of(self, entry):
        return "0" * 64

    def local_entries(self, catalogue):
        return catalogue.entries


class CannedPool:
    """A pool whose models need no time: what is asked of it is answered in shape, if not in sense.

    Attributes:
        models: what ``loaded`` gives.
    """

    def __init__(self, catalogue):
        self.catalogue = catalogue
        self.models: list[LoadedModel] = []

    def loaded(self):
        return tuple(self.models)

    async def load(self, name, on_progress=None):
        self.catalogue.get(name)
        model = LoadedModel(name, _LOADED, Placement("cpu", 0, ""), 1, 3, 0.0, 0.5)
        self.models = [*(other for other in self.models if other.name != name), model]
        return model

    async def unload(self, name, *, drain=False):
        self.models = [model for model in self.models if model.name != name]

    async def count_tokens(self, request):
        return 7

    async def embed(self, model, texts):
        vectors = numpy.ones((len(texts), 4), dtype=numpy.float32) / 2
        return Embeddings(vectors.tobytes(), 4, 3 * len(texts))

    async def transcribe(self, model, pcm, options=None) -> AsyncGenerator:
        yield SpokenLanguage("en", 0.9)
        yield SpeechSegment(0.0, 1.0, "Hello there.")
        yield SpeechProgress(1.0, 1.0)

    async def tokenize(self, model, content, *, add_special=False, parse_special=True, with_pieces=False):
        return ()

    async def detokenize(self, model, tokens):
        return "Hello"

    async def apply_template(self, request):
        return "Hello"

    async def infill(self, model, gap):
        raise NotSupportedError("This model was not taught to fill gaps.")


@dataclasses.dataclass
class WholeServer:
    """A running server.

    Attributes:
        address: where, without a slash at its end.
        backend: what answers chats.
        key: one of the vault that may do everything.
    """

    address: str
    backend: ScriptedBackend
    services: Services
    key: str


@contextmanager
def whole_server(folder: Path, *, gated: bool = False, steps=("Hello", " there."), **chosen) -> Iterator[WholeServer]:
    """Runs a server for the block.

    Args:
        folder: for the vault.
        gated: whether a key is needed: ``KEY``, or one of the vault.
        steps: what models say.
        chosen: whole sections of the settings.
    """
    ready, stop = threading.Event(), threading.Event()
    made: list[WholeServer | BaseException] = []

    async def run():
        folder.mkdir(exist_ok=True)
        vault = Vault(folder, folder / "backups")
        await vault.open()
        nodes = (
            Node(id="a", parent_id=None, message=Message.user("Hello")),
            Node(id="b", parent_id="a", message=Message.assistant("Hi")),
        )
        await vault.sessions.add(WholeSession(new_session(title="Greetings", head_id="b"), nodes))
        file = folder / "model.gguf"
        file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 0))
        services = _services(ScriptedBackend(list(steps)), vault, file, chosen)
        gate = _gate(services) if gated else None
        observing = Observing.start(services, folder / "logs", needs_vault=False, environ={"PLAYGROUND_API_KEYS": KEY})
        app = build(services, gate=gate.around if gate else None, observing=observing)
        async with Serving(app, listen("127.0.0.1", 0), shutdown_s=1).running() as address:
            _kept, key = await vault.api_keys.create("everything", scopes=("chat", "embed", "admin"))
            made.append(WholeServer(address, services.router._backends[0], services, key))
            ready.set()
            await asyncio.to_thread(stop.wait)
        if gate is not None:
            await gate.aclose()
        await observing.aclose()
        await vault.close()

    def work():
        try:
            asyncio.run(run())
        except BaseException as error:
            made.append(error)
            raise
        finally:
            ready.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        ready.wait(60)
        if not made or isinstance(made[0], BaseException):
            raise EngineError("The server did not start.") from (made[0] if made else None)
        yield made[0]
    finally:
        stop.set()
        thread.join(30)


def _gate(services: Services) -> GateParts:
    return GateParts.of(services.vault, services.settings, {"PLAYGROUND_API_KEYS": KEY}, policy=services.policy)


def _services(backend: ScriptedBackend, vault: Vault, file: Path, chosen) -> Services:
    said = backend.steps
    backend.steps = lambda request: ['{"topics": []}'] if request.response_format.json_schema is not None else said
    backend.models = _named(MODEL)
    catalogue = Catalogue.load([shipped()])
    settings = Settings()
    quiet = msgspec.structs.replace(settings.observability, log_to="off")
    settings = msgspec.structs.replace(settings, **{"observability": quiet, **chosen})
    return dataclasses.replace(
        services_of(backend),
        catalogue=catalogue,
        store=Installed(file),
        pool=CannedPool(catalogue),
        vault=vault,
        settings=settings,
    )


def _named(*names):
    async def models():
        return names

    return models
