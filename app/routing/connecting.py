"""The remote models of a program, from its catalogue files to what answers. Imported only where there are any."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from app.backends.base import Backend
from app.backends.endpoint import Endpoint
from app.backends.rules import Chained, WireRules
from app.engine.catalogues.catalogue import Catalogue
from app.engine.catalogues.files import CatalogueFile
from app.privacy.connections import ConnectionPolicy
from app.privacy.masking import Masker
from app.settings.schema import PrivacySettings

from .catalogue.remote_models import RemoteCatalogue
from .remotes import Remotes
from .rules import compile_rules
from .trying.replicas import RemoteBackend

if TYPE_CHECKING:
    from app.vault import Vault

    from .redacting import Redaction


def connected(
    files: Iterable[CatalogueFile],
    catalogue: Catalogue,
    local: Backend,
    policy: ConnectionPolicy,
    privacy: PrivacySettings,
    environ: Mapping[str, str],
    *,
    vault: Callable[[], Vault],
    masker: Masker | None = None,
) -> Remotes:
    """Reads the remote models and compiles every rule; what reaches an endpoint is made when it is first needed.

    Args:
        files: every catalogue.
        catalogue: the models of this machine.
        local: answers for those.
        policy: whether anything may leave this machine.
        privacy: what is replaced in what leaves it.
        environ: where keys and values of headers may be.
        vault: where keys may be too; asked for when the first endpoint is reached.
        masker: learns every key and every secret value of a header.

    Raises:
        CatalogueError: when a table or a rule is wrong.
        SettingsError: when a pattern of the redaction is.
    """
    found = RemoteCatalogue.of(files, {entry.name: entry.role == "chat" for entry in catalogue.entries})
    rules = {name: compile_rules(endpoint, environ, found.files[name]) for name, endpoint in found.endpoints.items()}
    masker = masker or Masker()
    masker.learn(*(secret for one in rules.values() for secret in one.secrets))
    redaction = cache(lambda: _redaction(privacy))
    if privacy.redact and (privacy.redact_kinds or privacy.redact_patterns):
        redaction()  # a mistake in them is told now

    def connect(endpoint: Endpoint) -> RemoteBackend:
        from app.backends.credentials import Credentials
        from app.backends.remote import RemoteBackend as Connection

        chosen = redaction() if endpoint.redact else None
        own: WireRules = rules[endpoint.name]
        # The redaction comes last on the way out, so that it sees what the user's own rules have made.
        applied = Chained([own, chosen]) if chosen is not None else own
        return Connection(endpoint, applied, Credentials(environ, vault(), seen=masker.learn), policy)

    return Remotes(found, connect, policy, local, redacts=privacy.redact)


def _redaction(privacy: PrivacySettings) -> Redaction | None:
    from .redacting import Redaction

    return Redaction.chosen(privacy)
