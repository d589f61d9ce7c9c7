"""The models that are not on this machine: ``[endpoints.NAME]`` and ``[remote.NAME]`` of the catalogue files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from app.backends.endpoint import Endpoint
from app.engine.catalogues.files import CatalogueFile
from app.errors import CatalogueError

from .endpoint_tables import read_endpoint, warnings_of
from .table_reading import converted

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}")
_EXPECTED = "1 to 200 of letters, digits, '.', '_', '-', ':', '/', '@' and '+', beginning with a letter or digit"

RemoteRole = Literal["chat", "transcribe"]
Dollars = Annotated[float, Meta(ge=0)]


class Price(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars per million tokens: of prompts, of answers, and of prompts that the provider had in its cache."""

    input: Dollars = 0.0
    output: Dollars = 0.0
    cached: Dollars | None = None


class ReplicaTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One place that serves a model; ``model`` is its name there, ``weight`` its share beside the others."""

    endpoint: str
    model: str = ""
    weight: float = 1.0


class RemoteModel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One remote model.

    Attributes:
        name: what it is called here; may hold ``/`` and ``:``.
        endpoint: where it is, unless ``replicas`` says so.
        replicas: the places that serve it; every one of them when read, so also for a single ``endpoint``.
        model: its name at the endpoint; empty is the name here.
        aliases: further names that it answers to.
        fallback: who answers when it cannot, in this order: remote models and ones of this machine.
        context: tokens of its context window; 0 is unknown.
        price: what it costs; ``None`` is unknown.
        choose: which replica is asked: the one with least to do for its weight, or each in its share.
        vision: whether it sees pictures; ``None`` is unknown.
        role: ``chat``, or ``transcribe`` for one that writes down speech and does nothing else.
    """

    name: str
    endpoint: str = ""
    replicas: tuple[ReplicaTable, ...] = ()
    model: str = ""
    aliases: tuple[str, ...] = ()
    fallback: tuple[str, ...] = ()
    context: Annotated[int, Meta(ge=0)] = 0
    price: Price | None = None
    choose: Literal["least-loaded", "weighted"] = "least-loaded"
    description: str = ""
    vision: bool | None = None
    role: RemoteRole = "chat"

    def places(self) -> tuple[ReplicaTable, ...]:
        """Every place that serves it, with the name that it has there."""
        found = self.replicas or (ReplicaTable(endpoint=self.endpoint),)
        return tuple(
            ReplicaTable(endpoint=place.endpoint, model=place.model or self.model or self.name, weight=place.weight)
            for place in found
        )


class RemoteCatalogue:
    """Every remote model and every endpoint, checked as a whole.

    Attributes:
        endpoints: by name.
        models: by name, in the order of the files.
        aliases: from a further name to the model's own.
        chains: for each model the names that are asked in turn, itself first. The fallbacks of a fallback follow it.
        files: where each endpoint is described, for errors that are found later.
        warnings: what the user should know, in sentences.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        models: Mapping[str, RemoteModel],
        chains: Mapping[str, tuple[str, ...]],
        files: Mapping[str, Path],
    ) -> None:
        self.endpoints, self.models, self.chains, self.files = endpoints, models, chains, files
        self.aliases = {alias: model.name for model in models.values() for alias in model.aliases}
        self.warnings = tuple(words for endpoint in endpoints.values() for words in warnings_of(endpoint))

    @classmethod
    def of(cls, files: Iterable[CatalogueFile], local: Mapping[str, bool] | None = None) -> RemoteCatalogue:
        """Reads the two kinds of table; a later file adds some, or replaces fields of those that are there.

        Args:
            files: in this order.
            local: the models of this machine, whose names are taken, and whether each can chat.

        Raises:
            CatalogueError: naming the file, the table, the field, what was found and what was expected.
        """
        files = tuple(files)
        endpoints, described = _merged(files, "endpoints", read_endpoint)
        models, origins = _merged(files, "remote", _read_model)
        checking = _Checking(endpoints, models, origins, local or {})
        for model in models.values():
            checking.places(model)
            checking.names(model)
        return cls(endpoints, models, {name: checking.chain(model) for name, model in models.items()}, described)

    def canonical(self, name: str) -> str | None:
        """The model's own name for any name that it answers to; ``None`` when there is none."""
        return name if name in self.models else self.aliases.get(name)


def _merged(files: Iterable[CatalogueFile], kind: str, read: Any) -> tuple[dict[str, Any], dict[str, Path]]:
    tables: dict[str, dict[str, Any]] = {}
    found: dict[str, Any] = {}
    origins: dict[str, Path] = {}
    for file in files:
        for name, table in file.of(kind).items():
            tables[name], origins[name] = {**tables.get(name, {}), **table}, file.path
            try:
                found[name] = read(name, tables[name])
            except ValueError as error:
                raise _mistake(file.path, kind, name, str(error)) from error
    return found, origins


def _read_model(name: str, table: Mapping[str, Any]) -> RemoteModel:
    model = converted(table, name, RemoteModel)
    for word, what in ((name, "the name"), *((alias, "the alias") for alias in model.aliases)):
        if not _NAME.fullmatch(word):
            raise ValueError(f"{what} {word!r} is not {_EXPECTED}")
    if bool(model.endpoint) == bool(model.replicas):
        found = "both `endpoint` and `replicas` are" if model.endpoint else "neither `endpoint` nor `replicas` is"
        raise ValueError(f"{found} given; expected one of them")
    if model.role == "transcribe" and model.fallback:
        raise ValueError("`fallback` is given, and nobody writes down speech in place of another; expected none")
    for place, replica in enumerate(model.replicas):
        if not 0 < replica.weight <= 1_000_000:
            raise ValueError(f"`replicas[{place}].weight` is {replica.weight:g}; expected a number above 0")
    return model


class _Checking:
    """What can only be seen with all tables read."""

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        models: Mapping[str, RemoteModel],
        origins: Mapping[str, Path],
        local: Mapping[str, bool],
    ) -> None:
        self._endpoints, self._models, self._origins, self._local = endpoints, models, origins, local
        self._owner: dict[str, str] = {name: name for name in models}

    def places(self, model: RemoteModel) -> None:
        """Every endpoint that is named is there."""
        for number, place in enumerate(model.places()):
            if place.endpoint not in self._endpoints:
                field = f"`replicas[{number}].endpoint`" if model.replicas else "`endpoint`"
                raise self._mistake(
                    model,
                    f"{field} is {place.endpoint!r}, which is no endpoint; {_near(place.endpoint, self._endpoints)}",
                )

    def names(self, model: RemoteModel) -> None:
        """No name means two models."""
        if model.name in self._local:
            raise self._mistake(model, "a model on this machine has this name; expected another")
        for alias in model.aliases:
            if alias in self._local:
                raise self._mistake(model, f"the alias {alias!r} is a model on this machine; expected another")
            owner = self._owner.setdefault(alias, model.name)
            if owner != model.name or alias == model.name:
                raise self._mistake(
                    model, f"the alias {alias!r} is already a name of [remote.{owner}]; expected another"
                )

    def chain(self, model: RemoteModel) -> tuple[str, ...]:
        """The model and everyone who answers in its place, each once."""
        asked: dict[str, None] = {}
        self._follow(model, (model.name,), asked)
        return tuple(asked)

    def _follow(self, model: RemoteModel, way: tuple[str, ...], asked: dict[str, None]) -> None:
        asked[model.name] = None
        for name in model.fallback:
            if self._local.get(name):
                asked[name] = None
                continue
            owner = self._owner.get(name)
            if name in self._local or (owner is not None and self._models[owner].role != "chat"):
                raise self._mistake(model, f"`fallback` names {name!r}, which does not chat; expected one that does")
            if owner is None:
                known = [*self._owner, *(name for name, chats in self._local.items() if chats)]
                raise self._mistake(model, f"`fallback` names {name!r}, which is no model; {_near(name, known)}")
            if owner in way:
                circle = " → ".join((*way[way.index(owner) :], owner))
                raise self._mistake(model, f"`fallback` leads back to where it began: {circle}; expected an end")
            if owner not in asked:
                self._follow(self._models[owner], (*way, owner), asked)

    def _mistake(self, model: RemoteModel, problem: str) -> CatalogueError:
        return _mistake(self._origins[model.name], "remote", model.name, problem)


def _near(word: str, known: Iterable[str]) -> str:
    names = list(known)
    near = get_close_matches(word, names, 3)
    return f"expected {' or '.join(near or names[:8]) or 'one that is described'}"


def _mistake(path: Path, kind: str, name: str, problem: str) -> CatalogueError:
    heading = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'
    return CatalogueError(f"{path}: [{kind}.{heading}]: {problem}.", "Correct the file.")
