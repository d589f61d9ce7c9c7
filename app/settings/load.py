"""Reads the settings: environment variables over the file over the defaults, each value typed and its origin kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from app.errors import SettingsError

from .folders import Folders
from .formats import SUFFIXES, parse
from .schema import Settings
from .substitute import substitute

_PREFIX = "PLAYGROUND_"
_ALIASES = {"PLAYGROUND_LOCAL_ONLY": "privacy.local_only", "PLAYGROUND_MODEL": "models.default"}
_OTHERS = {"PLAYGROUND_HOME", "PLAYGROUND_CONFIG"}
_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


@dataclass(frozen=True)
class Origin:
    """Where an effective value came from; ``name`` is the variable or the file, empty for a default."""

    kind: Literal["environment", "file", "default"]
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.kind


@dataclass(frozen=True)
class LoadedSettings:
    """The settings, and the origin of each by its dotted key (``engine.context``)."""

    settings: Settings
    origins: Mapping[str, Origin]
    file: Path | None


def load_settings(folders: Folders, environ: Mapping[str, str]) -> LoadedSettings:
    """The effective settings.

    The file is ``playground.toml`` (or ``.yaml``, ``.yml``, ``.json``) in the configuration folder, or what
    ``PLAYGROUND_CONFIG`` names. ``PLAYGROUND_ENGINE__CONTEXT=4096`` overrides ``engine.context``.

    Raises:
        SettingsError: naming the file or variable, the key, what was found and what was expected.
    """
    file = _find_file(folders, environ)
    schema = _schema()
    chosen: dict[str, Any] = {}
    origins = dict.fromkeys(schema, Origin("default"))
    if file is not None:
        for key, raw in _flatten(parse(file), file):
            value, changed = substitute(raw, environ, where=f"{file}: {key}")
            chosen[key] = _typed(key, value, schema, lenient=changed, where=str(file))
            origins[key] = Origin("file", str(file))
    for name, key, text in _from_environment(environ, schema):
        chosen[key] = _typed(key, text, schema, lenient=True, where=name)
        origins[key] = Origin("environment", name)
    return LoadedSettings(_build(chosen), MappingProxyType(origins), file)


def _find_file(folders: Folders, environ: Mapping[str, str]) -> Path | None:
    named = environ.get("PLAYGROUND_CONFIG")
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise SettingsError(f"PLAYGROUND_CONFIG names {path}, which is no file.", "Correct or unset it.")
        return path
    found = [path for suffix in SUFFIXES if (path := folders.config / f"playground{suffix}").is_file()]
    if len(found) > 1:
        raise SettingsError(
            f"There are {len(found)} settings files: {', '.join(map(str, found))}.", "Keep one and remove the others."
        )
    return found[0] if found else None


def _schema() -> dict[str, Any]:
    """Dotted key to type, for every setting."""
    return {
        f"{section}.{name}": kind
        for section, struct in get_type_hints(Settings).items()
        for name, kind in get_type_hints(struct, include_extras=True).items()
    }


def _flatten(document: Mapping[str, Any], file: Path) -> Iterator[tuple[str, Any]]:
    sections = get_type_hints(Settings)
    for section, content in document.items():
        if section not in sections:
            raise SettingsError(f"{file}: there is no section {section!r}.", _suggest(str(section), sections))
        if not isinstance(content, Mapping):
            raise SettingsError(f"{file}: {section} is {content!r}; expected a table of settings.")
        for name, value in content.items():
            yield f"{section}.{name}", value


def _from_environment(environ: Mapping[str, str], schema: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, text in sorted(environ.items()):
        if name in _ALIASES:
            yield name, _ALIASES[name], text
        elif name.startswith(_PREFIX) and "__" in name and name not in _OTHERS:
            key = name.removeprefix(_PREFIX).lower().replace("__", ".", 1)
            if key not in schema:
                raise SettingsError(f"{name}: there is no setting {key!r}.", _suggest(key, schema))
            yield name, key, text


def _typed(key: str, value: Any, schema: Mapping[str, Any], *, lenient: bool, where: str) -> Any:
    if key not in schema:
        raise SettingsError(f"{where}: there is no setting {key!r}.", _suggest(key, schema))
    kind = schema[key]
    try:
        return msgspec.convert(_from_text(value, kind) if lenient else value, kind, strict=not lenient)
    except msgspec.ValidationError as error:
        raise SettingsError(
            f"{where}: {key} is {_shown(value)}; expected {_expected(kind)}.", f"Correct {key} in {where}."
        ) from error


def _from_text(value: Any, kind: Any) -> Any:
    """Words for truth, commas for lists and ``name=value`` for tables: what a variable can say."""
    if not isinstance(value, str):
        return value
    plain = _plain(kind)
    if plain is bool:
        return {"yes": True, "on": True, "no": False, "off": False, "": False}.get(value.strip().lower(), value)
    if plain is tuple:
        return [part.strip() for part in value.split(",") if part.strip()]
    if plain is dict:
        pairs = [part.partition("=") for part in value.split(";") if part.strip()]
        return {name.strip(): keys.strip() for name, _, keys in pairs}
    return value


def _build(chosen: Mapping[str, Any]) -> Settings:
    sections: dict[str, Struct] = {}
    for section, struct in get_type_hints(Settings).items():
        own = {key.split(".", 1)[1]: value for key, value in chosen.items() if key.split(".", 1)[0] == section}
        sections[section] = struct(**own)
    return Settings(**sections)  # type: ignore[arg-type]


def _plain(kind: Any) -> Any:
    kind = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return get_origin(kind) or kind


def _expected(kind: Any) -> str:
    limits = [limit for limit in get_args(kind)[1:] if isinstance(limit, Meta)] if get_origin(kind) is Annotated else []
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if get_origin(bare) is Literal:
        return " or ".join(repr(choice) for choice in get_args(bare))
    words = {tuple: "a list of texts", dict: "a table of texts"}.get(get_origin(bare), _WORDS.get(bare, str(bare)))
    for limit in limits:
        words += f" of at least {_number(limit.ge)}" if limit.ge is not None else ""
        words += f" and at most {_number(limit.le)}" if limit.le is not None else ""
    return words


def _number(limit: float) -> str:
    return str(limit) if isinstance(limit, int) else f"{limit:g}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _suggest(found: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(found, list(known), 1)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
