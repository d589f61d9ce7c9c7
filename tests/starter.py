"""The starter model for the tests: fetched once, through the program's own store, into ``.cache`` of the checkout."""

from __future__ import annotations

import asyncio
from pathlib import Path

from app.engine.catalogue import Catalogue, shipped
from app.engine.progress import Progress
from app.engine.store import ModelStore
from app.privacy.connections import ConnectionPolicy

MODELS = Path(__file__).resolve().parent.parent / ".cache" / "test-models"
NAME = "smollm2-135m"


def fetch() -> Path:
    """The path of the starter model's file."""
    entry = Catalogue.load([shipped()]).get(NAME)
    store = ModelStore(MODELS, ConnectionPolicy(local_only=False))

    def ignore(progress: Progress) -> None:
        pass

    return asyncio.run(store.fetch(entry, ignore))


if __name__ == "__main__":
    print(fetch().name)
