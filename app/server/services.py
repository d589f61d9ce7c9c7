"""What the server's routes are given."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.engine.catalogues.catalogue import Catalogue
    from app.engine.files.store import ModelStore
    from app.engine.pool import ModelPool
    from app.playground import Playground
    from app.privacy.connections import ConnectionPolicy
    from app.privacy.masking import Masker
    from app.routing.answering import Answering
    from app.routing.transcribing import RemoteTranscription
    from app.settings import Settings
    from app.vault import Vault


@dataclass(frozen=True)
class Services:
    """The program's parts that answer requests.

    Attributes:
        policy: whether anything may leave this machine; the program's own.
        masker: knows the secrets that must not be written; it learns while the program runs.
        clock: seconds since 1970.
        transcribers: the models elsewhere that write down speech, by every name.
        transcription: sends recordings to one of those; None for a name that is none of theirs.
    """

    router: Answering
    catalogue: Catalogue
    store: ModelStore
    pool: ModelPool
    vault: Vault
    settings: Settings
    policy: ConnectionPolicy
    masker: Masker
    clock: Callable[[], float] = time.time
    transcribers: tuple[str, ...] = ()
    transcription: Callable[[str], RemoteTranscription | None] = lambda name: None

    @classmethod
    def of(cls, playground: Playground) -> Services:
        """The parts of a running program."""
        router = playground.router.seen_from("server")
        return cls(
            router,
            playground.catalogue,
            playground.store,
            playground.pool,
            playground.vault,
            playground.settings,
            playground.policy,
            playground.masker,
            transcribers=playground.remotes.transcribers if playground.remotes is not None else (),
            transcription=lambda name: playground.remote_transcription(name, router),
        )
