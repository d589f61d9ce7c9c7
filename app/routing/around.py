"""What stands around the router in a running program: the notes of requests and, where it is chosen, the cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.messages import Usage
from app.privacy.masking import Masker
from app.settings.routing import RoutingSettings

from .answering import Answering
from .audit.audited import Audited
from .audit.notebook import Notebook
from .catalogue.pricing import cost

if TYPE_CHECKING:
    from app.privacy.connections import ConnectionPolicy

    from .cache.cached import AnswerStore
    from .cache.stores import OpenVault
    from .catalogue.remote_models import RemoteCatalogue


def audited(
    router: Answering,
    chosen: RoutingSettings,
    *,
    face: str,
    masker: Masker,
    vault: OpenVault,
    policy: ConnectionPolicy,
    remote: RemoteCatalogue | None,
    local: Callable[[str], str | None],
) -> Audited:
    """``router`` with its notes, and its cache when ``chosen`` has one.

    Args:
        router: answers.
        chosen: the settings.
        face: what asks, unless ``seen_from`` says otherwise.
        masker: takes secrets out of notes and errors.
        vault: the vault, if it is open now. It is never opened from here.
        policy: whether a Redis elsewhere may be connected to.
        remote: the remote models, for prices.
        local: what the answers of a model of this machine depend on, by its name; ``None`` keeps none of them.

    Raises:
        SettingsError: when the address of Redis is none, or the key for it too short.
    """

    def dollars(model: str, usage: Usage) -> float | None:
        known = remote.models.get(model) if remote is not None else None
        return None if known is None or known.price is None else cost(known.price, usage)

    masker.learn(chosen.cache_redis_key)  # it may stand in a file
    notebook = Notebook(
        vault,
        masker,
        cost=dollars,
        keep_days=chosen.audit_keep_days,
        audit=chosen.audit,
        bodies=chosen.audit_bodies,
    )
    if chosen.cache and chosen.cache_bytes:
        from .cache.cached import Cached
        from .cache.fingerprints import identify

        store = _store(chosen, vault, policy)
        router = Cached(router, store, identify(remote, local), most_bytes=chosen.cache_bytes)
    return Audited(router, notebook, face)


def seen_from(router: Answering, face: str) -> Answering:
    """``router`` with its requests noted as those of ``face``; as it is where none are noted."""
    return router.seen_from(face) if isinstance(router, Audited) else router


def price(router: Answering, model: str, usage: Usage) -> float | None:
    """US dollars for what a model did; ``None`` where nobody knows its price."""
    return router.price(model, usage) if isinstance(router, Audited) else None


def _store(chosen: RoutingSettings, vault: OpenVault, policy: ConnectionPolicy) -> AnswerStore:
    from .cache.stores import RedisAnswers, VaultAnswers

    if chosen.cache_redis_url:
        return RedisAnswers(
            chosen.cache_redis_url,
            vault,
            policy,
            ttl_s=chosen.cache_ttl_s,
            most_bytes=chosen.cache_bytes,
            shared_key=chosen.cache_redis_key,
        )
    return VaultAnswers(vault, ttl_s=chosen.cache_ttl_s, most_bytes=chosen.cache_bytes)
