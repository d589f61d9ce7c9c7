"""The real models that tests run: fetched once, through the program's own store, into ``.cache`` of the checkout."""

from __future__ import annotations

import asyncio
from pathlib import Path

from app.engine.catalogues.catalogue import Catalogue, shipped
from app.engine.files.store import ModelStore
from app.engine.progress import Progress
from app.privacy.connections import ConnectionPolicy

MODELS = Path(__file__).resolve().parent.parent / ".cache" / "test-models"
NAME = "smollm2-135m"
EMBEDDING = "all-minilm-l6-v2"
SPEECH = "whisper-base"


def fetch(name: str = NAME) -> Path:
    """The path of a model's main file; the starter model's, if no other is named."""
    entry = Catalogue.load([shipped()]).get(name)
    store = ModelStore(MODELS, ConnectionPolicy(local_only=False))

    def ignore(progress: Progress) -> None:
        pass

    return asyncio.run(store.fetch(entry, ignore))


if __name__ == "__main__":
    for model in (NAME, EMBEDDING, SPEECH):
        print(fetch(model).name)
