"""The composition root: builds the parts from the settings and owns their life. Every face starts here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from app.settings import Folders, LoadedSettings, Origin, Settings, load_settings

if TYPE_CHECKING:
    from app.chat.recalling import Recaller
    from app.engine.catalogues.catalogue import Catalogue
    from app.engine.files.store import ModelStore
    from app.engine.pool import ModelPool
    from app.memory.memory import Memory
    from app.privacy.connections import ConnectionPolicy
    from app.privacy.masking import Masker
    from app.routing.audit.audited import Audited
    from app.routing.listing import LocalFacts
    from app.routing.remotes import Remotes
    from app.routing.transcribing import RemoteTranscription
    from app.vault import Vault
    from app.voice.transcriber import Transcriber


@dataclass(frozen=True)
class Playground:
    """The parts of a running program, wired.

    Attributes:
        loaded: the effective settings with the origin of each.
        router: takes every request, and notes it.
        policy: whether anything may leave this machine; a person may change that while the program runs.
        masker: knows every secret of the environment, and each key and secret header once it has been fetched.
        warnings: what the user should know of where remote models are reached, in sentences.
        environ: the process's environment, as it was at the start.
        remotes: the models elsewhere; None where no catalogue names one.
    """

    folders: Folders
    loaded: LoadedSettings
    catalogue: Catalogue
    store: ModelStore
    pool: ModelPool
    router: Audited
    environ: Mapping[str, str]
    policy: ConnectionPolicy
    masker: Masker
    warnings: tuple[str, ...] = ()
    remotes: Remotes | None = None

    @property
    def settings(self) -> Settings:
        """What the user chose."""
        return self.loaded.settings

    @classmethod
    def open(
        cls,
        environ: Mapping[str, str],
        *,
        local_only: bool = False,
        policy: ConnectionPolicy | None = None,
        masker: Masker | None = None,
        face: str = "cli",
        device: str | None = None,
    ) -> Playground:
        """Reads settings and catalogues, makes the folders, wires the parts. Nothing is loaded or fetched yet.

        Args:
            environ: the process's environment.
            local_only: forbids everything that would leave the machine, whatever the settings say.
            policy: the process's own, which its guard asks; it is set as the settings say.
            masker: the process's own, which knows the environment's secrets; it learns those that are fetched.
            face: what asks, in the notes of requests: ``cli`` or ``tui``.
            device: what models run on, whatever the settings say; a model's own in a catalogue goes first.

        Raises:
            NotSupportedError: when the engine was not built for the device.
            SettingsError: when a setting is wrong.
            CatalogueError: when a catalogue is.
        """
        from app.backends.local import LocalBackend
        from app.engine.catalogues.catalogue import Catalogue, shipped
        from app.engine.catalogues.files import CatalogueFile
        from app.engine.files.store import ModelStore
        from app.engine.pool import ModelPool
        from app.engine.state_keeping import StateKeeping
        from app.privacy.connections import ConnectionPolicy
        from app.privacy.masking import Masker
        from app.routing.around import audited
        from app.routing.router import Router

        folders = Folders.find(environ)
        loaded = load_settings(folders, environ)
        if local_only:
            loaded = _local_only(loaded)
        if device is not None:
            loaded = _on(loaded, device)
        folders.make()
        policy = policy or ConnectionPolicy(local_only=True)
        policy.local_only = loaded.settings.privacy.local_only
        store = ModelStore(folders.models, policy)
        files = CatalogueFile.read_all([shipped(), *_own_catalogues(folders, loaded.settings, store)])
        catalogue = Catalogue.of(files)
        playground: Playground
        states = StateKeeping(
            folders.cache / "states",
            loaded.settings.engine.states_mb,
            store.digest_of,
            lambda: playground.state_key(),
        )
        pool = ModelPool(catalogue, store, loaded.settings.engine, folders.logs, states=states)
        local = LocalBackend(pool)
        masker = masker or Masker.of_environment(environ)
        remotes = None
        if any(file.of("endpoints") or file.of("remote") for file in files):
            from app.routing.connecting import connected

            remotes = connected(
                files,
                catalogue,
                local,
                policy,
                loaded.settings.privacy,
                environ,
                vault=lambda: playground.vault,
                masker=masker,
            )
        router = audited(
            Router([local], remotes, describe=_described(catalogue, store)),
            loaded.settings.routing,
            face=face,
            masker=masker,
            vault=lambda: playground.opened_vault,
            policy=policy,
            remote=remotes.catalogue if remotes is not None else None,
            local=_depended_on(catalogue, store),
        )
        warnings = remotes.catalogue.warnings if remotes is not None else ()
        playground = cls(folders, loaded, catalogue, store, pool, router, environ, policy, masker, warnings, remotes)
        return playground

    @cached_property
    def vault(self) -> Vault:
        """What is kept. Made when it is first asked for, which is after the first paint; nothing of it is open then."""
        from app.vault import Vault

        chosen = self.settings.vault
        elsewhere = self.folders.config / Path(chosen.backups).expanduser() if chosen.backups else None
        return Vault(
            self.folders.data,
            elsewhere or self.folders.data / "backups",
            daily_kept=chosen.daily_kept,
            unattended=self.environ.get("PLAYGROUND_PASSPHRASE"),
        )

    @cached_property
    def memory(self) -> Memory:
        """What was said before, and recalls it. Made when it is first asked for; nothing of it is loaded then."""
        from app.memory.embedding import PoolEmbedder
        from app.memory.memory import Memory

        chosen = self.settings.memory
        return Memory(self.vault, PoolEmbedder(self.pool, chosen.model), chosen)

    def recaller(self, model: str, session: Callable[[], bool] = lambda: True) -> Recaller | None:
        """Recalls into the prompts of one conversation with ``model``; None where memory has no part.

        That is so when it is switched off, when its own model is not on this machine, and, unless the settings allow
        it, when the answering model is elsewhere.

        Args:
            model: who answers.
            session: whether the conversation's own switch is on.
        """
        from app.chat.recalling import Recaller

        chosen = self.settings.memory
        known = {entry.name: entry for entry in self.catalogue.entries}
        embeds = known.get(chosen.model)
        if not chosen.enabled or embeds is None or self.store.path_of(embeds) is None:
            return None
        if not chosen.remote and self.router.is_remote(model):
            return None
        return Recaller(self.memory, session, may_leave=chosen.remote)

    def transcriber(self) -> Transcriber:
        """Writes down what is dictated: the model of the settings, on this machine or elsewhere.

        Raises:
            PlaygroundError: when it is elsewhere and speech must not go there; before anything is recorded.
        """
        from app.voice.transcriber import LocalTranscriber, RemoteTranscriber

        chosen = self.settings.voice
        remote = self.remote_transcription(chosen.model)
        if remote is None:
            return LocalTranscriber(self.pool, chosen.model, chosen.language)
        remote.require()
        return RemoteTranscriber(remote, chosen.language)

    def remote_transcription(self, model: str, router: Audited | None = None) -> RemoteTranscription | None:
        """Sends recordings to a model elsewhere; None for one of this machine, which hides another of its name.

        Args:
            model: its name, or an alias.
            router: of the face that asks, which notes it; this program's own when not given.

        Raises:
            InvalidRequestError: when it is elsewhere, and not for recordings.
        """
        target = self.remotes.target(model) if self.remotes is not None else None
        if target is None or any(entry.name == model for entry in self.catalogue.entries):
            return None
        from app.routing.transcribing import RemoteTranscription

        return RemoteTranscription(target, (router or self.router).noting, redacts=self.settings.privacy.redact)

    @property
    def opened_vault(self) -> Vault | None:
        """The vault, if it is open now. Makes none and opens none."""
        return self.vault if "vault" in self.__dict__ and self.vault.database.is_open else None

    async def state_key(self) -> bytes | None:
        """The key of conversations that are kept on disk as they lie in a model's memory.

        None while the vault is not open, or is being locked.
        """
        from app.errors import VaultError
        from app.vault.secrets import KEPT_STATES

        vault = self.opened_vault
        try:
            return await vault.secrets.get_or_make(KEPT_STATES, 32) if vault is not None else None
        except VaultError:
            return None

    async def aclose(self) -> None:
        """Ends every answer, unloads every model, and closes the vault."""
        await self.router.aclose()
        await self.pool.aclose()
        if "vault" in self.__dict__:
            await self.vault.close()


def _described(catalogue: Catalogue, store: ModelStore) -> Callable[[str], LocalFacts | None]:
    entries = {entry.name: entry for entry in catalogue.entries}

    def describe(name: str) -> LocalFacts | None:
        from app.routing.listing import LocalFacts

        entry = entries.get(name)
        if entry is None:
            return None
        installed = store.path_of(entry) is not None
        return LocalFacts(installed=installed, context=entry.context, description=entry.description)

    return describe


def _depended_on(catalogue: Catalogue, store: ModelStore) -> Callable[[str], str | None]:
    """What a local model's answers depend on, by its name: its table and its file's digest."""
    entries = {entry.name: entry for entry in catalogue.entries}

    def depended_on(name: str) -> str | None:
        entry = entries.get(name)
        digest = store.digest_of(entry) if entry is not None else None
        return f"{digest} {msgspec.json.encode(entry, order='deterministic').decode()}" if digest else None

    return depended_on


def _own_catalogues(folders: Folders, settings: Settings, store: ModelStore) -> list[Path]:
    """The user's catalogues, in the order in which later ones override: imported models, the own file, named files."""
    usual = [store.imported_catalogue, folders.config / "models.toml"]
    return [path for path in usual if path.is_file()] + [
        (folders.config / Path(name).expanduser()) for name in settings.models.catalogues
    ]


def _on(loaded: LoadedSettings, device: str) -> LoadedSettings:
    from app.engine.hardware import require_built_for

    require_built_for(device)
    engine = msgspec.structs.replace(loaded.settings.engine, device=device)
    return LoadedSettings(
        msgspec.structs.replace(loaded.settings, engine=engine),
        {**loaded.origins, "engine.device": Origin("environment", "--device")},
        loaded.file,
    )


def _local_only(loaded: LoadedSettings) -> LoadedSettings:
    privacy = msgspec.structs.replace(loaded.settings.privacy, local_only=True)
    return LoadedSettings(
        msgspec.structs.replace(loaded.settings, privacy=privacy),
        {**loaded.origins, "privacy.local_only": Origin("environment", "--local-only")},
        loaded.file,
    )
