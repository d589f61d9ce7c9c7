"""The error family: one base, one subclass a cause.

Inner parts raise; faces format. An error says what happened, what it concerns, and what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class PlaygroundError(Exception):
    """Anything that the user should read as a sentence, not as a traceback.

    Attributes:
        message: what happened, naming the thing, what was found and what was expected.
        remedy: what to do next, as a sentence; empty when there is nothing to do.
        title: a few words that head the message in a dialog.
        code: a stable word for programs (``--json``, the server's error bodies, the worker's frames).
    """

    title: ClassVar[str] = "Something went wrong"
    code: ClassVar[str] = "error"

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}" if self.remedy else self.message


def error_codes() -> dict[str, type[PlaygroundError]]:
    """Every error class by its code, so that an error can cross a process or a wire and be raised again.

    Of several with one code it is the one that gave it: a part's own subclass may want other arguments.
    """
    found: dict[str, type[PlaygroundError]] = {}
    pending: list[type[PlaygroundError]] = [PlaygroundError]
    while pending:
        cls = pending.pop()
        if "code" in vars(cls):
            found.setdefault(cls.code, cls)
        pending.extend(cls.__subclasses__())
    return found


# This machine: settings and what may leave it


class SettingsError(PlaygroundError):
    """A setting has a value that cannot be used."""

    title = "A setting is wrong"
    code = "settings"


class OfflineError(PlaygroundError):
    """Something needed the network, and there is none."""

    title = "No network"
    code = "offline"


class LocalOnlyError(PlaygroundError):
    """Something would have left the machine, and local-only mode forbids it."""

    title = "Local-only mode"
    code = "local_only"


# Models and their files


class CatalogueError(PlaygroundError):
    """A catalogue file says something that cannot be understood."""

    title = "The model catalogue is wrong"
    code = "catalogue"


class UnknownModelError(PlaygroundError):
    """No model has this name."""

    title = "Unknown model"
    code = "unknown_model"


class DownloadError(PlaygroundError):
    """A model file could not be fetched."""

    title = "Download failed"
    code = "download"


class DiskFullError(PlaygroundError):
    """There is no room for what was to be written."""

    title = "The disk is full"
    code = "disk_full"


class IntegrityError(PlaygroundError):
    """A model file is not what it should be, and is not loaded."""

    title = "The model file is not sound"
    code = "integrity"


# The engine


class EngineError(PlaygroundError):
    """The local engine could not do its work."""

    title = "The engine failed"
    code = "engine"


class WorkerDiedError(EngineError):
    """The worker process ended while it was needed; what it had said before is kept."""

    title = "The engine stopped"
    code = "worker_died"


class ModelLoadError(EngineError):
    """A sound file was refused by the native library: too little memory, or a kind it does not know."""

    title = "The model could not be loaded"
    code = "model_load"


class ModelNotInstalledError(EngineError):
    """The catalogue knows the model, but its file is not on this machine yet."""

    title = "The model is not here yet"
    code = "model_not_installed"


class BusyError(EngineError):
    """The queue is full; the same request may be answered a little later."""

    title = "Too much at once"
    code = "busy"


# Requests


class ContextOverflowError(PlaygroundError):
    """The prompt is longer than the model's context window."""

    title = "Too long for this model"
    code = "context_overflow"


class InvalidRequestError(PlaygroundError):
    """A request asks for what cannot be done: a parameter out of range, a grammar that does not parse."""

    title = "The request cannot be answered"
    code = "invalid_request"


class NotSupportedError(PlaygroundError):
    """What is asked for is not here, or not in this model."""

    title = "Not supported"
    code = "not_supported"


class TranslationError(InvalidRequestError):
    """A provider's protocol has no words for something in the request."""

    title = "This model cannot be asked that"
    code = "not_translatable"


# Models elsewhere


class RemoteError(PlaygroundError):
    """A remote model did not answer as it should.

    Attributes:
        status: what its HTTP answer said; ``None`` when there was none.
        retry_after: seconds that it asked us to wait; ``None`` when it did not.
        body: what it answered in its own protocol, its beginning at least, secrets masked; ``None`` when it did not.
    """

    title = "The remote model failed"
    code = "remote_failed"

    def __init__(
        self, message: str, remedy: str = "", *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, remedy)
        self.status = status
        self.retry_after = retry_after
        self.body: bytes | None = None


class RemoteUnreachableError(RemoteError):
    """No connection: the name, the network, the port or the certificate."""

    title = "The remote model cannot be reached"
    code = "remote_unreachable"


class RemoteTimeoutError(RemoteError):
    """It took longer than is allowed."""

    title = "The remote model took too long"
    code = "remote_timeout"


class RemoteBusyError(RemoteError):
    """It answers nobody, or not us, for a while: rate limits and overload."""

    title = "The remote model is busy"
    code = "remote_busy"


class RemoteRefusedError(RemoteError):
    """It will not answer this request, now or later: the key, the model's name, the request itself."""

    title = "The remote model refused"
    code = "remote_refused"


class StreamBrokenError(RemoteError):
    """The answer ended before it was whole. What came is good."""

    title = "The answer broke off"
    code = "stream_broken"


class CredentialError(PlaygroundError):
    """A key that a remote model needs is not where the catalogue says."""

    title = "A key is missing"
    code = "credential"


class RedactionError(PlaygroundError):
    """A request could not be searched for personal data, and was not sent."""

    title = "Nothing was sent"
    code = "redaction"


# The vault


class VaultError(PlaygroundError):
    """The vault could not do its work."""

    title = "The vault failed"
    code = "vault"


class VaultLockedError(VaultError):
    """What was asked for is in the vault, and the vault is locked."""

    title = "The vault is locked"
    code = "vault_locked"


class WrongPassphraseError(VaultError):
    """The passphrase, or the recovery key, does not open the vault."""

    title = "That does not open it"
    code = "wrong_passphrase"


class KeyFileError(VaultError):
    """The file with the wrapped keys is missing, unreadable, or belongs to another vault."""

    title = "The vault's key file is wrong"
    code = "vault_key_file"


class KeyringError(VaultError):
    """The system's keyring does not give the key that it was given."""

    title = "The keyring does not have the key"
    code = "vault_keyring"


class VaultDamagedError(VaultError):
    """Some of the vault's file is not what was written."""

    title = "The vault is damaged"
    code = "vault_damaged"


class NotAVaultError(VaultError):
    """The file in the vault's place is something else."""

    title = "This is not a vault"
    code = "not_a_vault"


class NewerVaultError(VaultError):
    """The vault was written by a later version of the program."""

    title = "The vault is of a newer version"
    code = "vault_newer"


class VaultInUseError(VaultError):
    """Another running program uses the vault, and this must have it alone."""

    title = "The vault is in use"
    code = "vault_in_use"


class BackupError(VaultError):
    """A backup could not be made, or is not sound."""

    title = "The backup failed"
    code = "backup"


class UnknownSessionError(VaultError):
    """No session has this name or number."""

    title = "No such session"
    code = "unknown_session"


class UnknownPostError(VaultError):
    """No post of that name is kept."""

    title = "There is no such post"
    code = "unknown_post"


# Prompts, posts and exports


class UnknownPromptError(PlaygroundError):
    """No prompt or persona of that name is in the library."""

    title = "There is no such prompt"
    code = "unknown_prompt"


class PromptThereError(PlaygroundError):
    """A prompt's name is another's already."""

    title = "That name is taken"
    code = "prompt_there"


class MissingVariablesError(PlaygroundError):
    """A prompt's variables have no values, or values were given for what is no variable of it."""

    title = "The prompt is not filled in"
    code = "missing_variables"


class PublishError(PlaygroundError):
    """A post could not be put where it was to go. The post itself is kept."""

    title = "The post was not published"
    code = "publish"


class FileThereError(PublishError):
    """Where a post was to go there is a file with another text, which was not to be replaced."""

    title = "There is a file already"
    code = "file_there"


class ImportFormatError(PlaygroundError):
    """A file with conversations is not an export that is known, or is damaged."""

    title = "This export cannot be read"
    code = "import_format"


# Who may use the server


class AccessError(PlaygroundError):
    """A key or a user cannot be used as asked."""

    title = "Not allowed"
    code = "access"


class UnknownKeyError(AccessError):
    """No API key has this id or name."""

    title = "Unknown key"
    code = "unknown_key"


class UnknownUserError(AccessError):
    """No user has this name."""

    title = "Unknown user"
    code = "unknown_user"


# Voice


class MicrophoneError(PlaygroundError):
    """What is said cannot be heard."""

    title = "The microphone cannot be used"
    code = "microphone"


class PortAudioMissingError(MicrophoneError):
    """The library that reaches microphones is not installed."""

    title = "A library for sound is missing"
    code = "portaudio_missing"


class NoMicrophoneError(MicrophoneError):
    """There is no microphone, or none of the name that was chosen."""

    title = "No microphone"
    code = "no_microphone"


class MicrophoneBusyError(MicrophoneError):
    """Another program has the microphone, or the system does not let us have it."""

    title = "The microphone is in use"
    code = "microphone_busy"


class MicrophoneLostError(MicrophoneError):
    """The microphone fell silent while it was listened to: unplugged, or its sound server ended."""

    title = "The microphone is gone"
    code = "microphone_lost"


class RecordingError(PlaygroundError):
    """A file is no recording that can be decoded."""

    title = "The recording cannot be read"
    code = "recording"
