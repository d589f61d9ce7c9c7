"""The person's own prompts and personas, and what stood under their names before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from app.errors import PromptThereError, UnknownPromptError
from app.messages import Sampling
from app.vault.storage.database import Database
from app.vault.storage.storable import storable

from .records import Prompt, PromptLine, has_words, line_of

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

MOST_BEFORE = 20
"""Kept in the bin of one name; the oldest go first."""

_COLUMNS = "name, kind, title, description, tags, text, model, sampling, updated_at, deleted_at"
_ADD = f"INSERT INTO prompts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)"  # noqa: S608 (names of our own)
_IN_USE = "name = ? AND deleted_at IS NULL"
_NEWEST_BEFORE = "name = ? AND deleted_at IS NOT NULL ORDER BY deleted_at DESC, number DESC LIMIT 1"


class Prompts:
    """Every prompt of the vault. All of it raises ``VaultLockedError`` while the vault is locked.

    What is replaced or deleted lies in the bin under its name, and ``restore`` exchanges the two: done twice, it
    changes nothing.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    # Reading

    async def get(self, name: str) -> Prompt:
        """The prompt of this name.

        Raises:
            UnknownPromptError: when there is none.
        """

        def read(connection: Connection) -> Prompt:
            found = _found(connection, _IN_USE, name)
            if found is None:
                raise unknown(name)
            return found[1]

        return await self._database.read(read)

    async def all(self) -> tuple[Prompt, ...]:
        """Every prompt in use, whole, by name."""

        def read(connection: Connection) -> tuple[Prompt, ...]:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM prompts WHERE deleted_at IS NULL ORDER BY name"  # noqa: S608
            )
            return tuple(map(_prompt, rows))

        return await self._database.read(read)

    async def lines(self, words: str = "") -> tuple[PromptLine, ...]:
        """Those in use, by name; with ``words`` those alone that have each somewhere."""
        return tuple(line_of(prompt) for prompt in await self.all() if has_words(prompt, words))

    async def binned(self) -> tuple[Prompt, ...]:
        """What ``restore`` would bring back: of each name that is not in use the latest, those deleted last first."""

        def read(connection: Connection) -> tuple[Prompt, ...]:
            rows = connection.execute(
                f"SELECT {_COLUMNS}, max(deleted_at) FROM prompts before WHERE deleted_at IS NOT NULL"  # noqa: S608
                " AND NOT EXISTS (SELECT 1 FROM prompts WHERE name = before.name AND deleted_at IS NULL)"
                " GROUP BY name ORDER BY max(deleted_at) DESC, number DESC"
            )
            return tuple(_prompt(row[:-1]) for row in rows)

        return await self._database.read(read)

    # Changing

    async def put(self, *prompts: Prompt) -> None:
        """Writes them, all or none; what was in use under their names goes into the bin."""
        kept = [_storable(prompt) for prompt in prompts]

        def write(connection: Connection) -> None:
            for prompt in kept:
                self._put(connection, prompt)

        await self._database.write(write)

    async def rename(self, name: str, changed: Prompt) -> None:
        """Puts ``changed``, which has another name, in the place of the prompt ``name``.

        Raises:
            UnknownPromptError: when there is none of this name.
            PromptThereError: when the other name is in use.
        """
        kept = _storable(changed)

        def write(connection: Connection) -> None:
            if kept.name != storable(name) and _found(connection, _IN_USE, kept.name) is not None:
                raise PromptThereError(f"There is a prompt {kept.name!r} already.", "Choose another name.")
            if not self._bin(connection, name):
                raise unknown(name)
            self._put(connection, kept)

        await self._database.write(write)

    async def delete(self, *names: str) -> None:
        """Puts prompts into the bin, all or none.

        Raises:
            UnknownPromptError: when there is none of one of the names.
        """

        def write(connection: Connection) -> None:
            for name in names:
                if not self._bin(connection, name):
                    raise unknown(name)

        await self._database.write(write)

    async def restore(self, name: str) -> Prompt:
        """Brings back what stood under this name before; what is in use now goes into the bin instead.

        Raises:
            UnknownPromptError: when nothing stood there.
        """

        def write(connection: Connection) -> Prompt:
            before = _found(connection, _NEWEST_BEFORE, name)
            if before is None:
                raise UnknownPromptError(
                    f"Nothing stood under {name!r} before.", "`playground prompts list` shows all."
                )
            self._bin(connection, name)
            connection.execute("UPDATE prompts SET deleted_at = NULL WHERE number = ?", (before[0],))
            return msgspec.structs.replace(before[1], deleted_at=None)

        return await self._database.write(write)

    async def purge(self, name: str) -> None:
        """Removes a prompt, and all that stood under its name, for good; nothing happens when there is none."""

        def write(connection: Connection) -> None:
            connection.execute("DELETE FROM prompts WHERE name = ?", (storable(name),))

        await self._database.write(write)

    def _put(self, connection: Connection, prompt: Prompt) -> None:
        self._bin(connection, prompt.name)
        connection.execute(
            _ADD,
            (
                prompt.name,
                prompt.kind,
                prompt.title,
                prompt.description,
                msgspec.json.encode(prompt.tags).decode(),
                prompt.text,
                prompt.model,
                msgspec.json.encode(prompt.sampling).decode(),
                self._clock(),
            ),
        )

    def _bin(self, connection: Connection, name: str) -> bool:
        """Whether there was one to put there."""
        name = storable(name)
        changed = connection.execute(
            f"UPDATE prompts SET deleted_at = ? WHERE {_IN_USE}",  # noqa: S608
            (self._clock(), name),
        )
        connection.execute(
            "DELETE FROM prompts WHERE name = ? AND deleted_at IS NOT NULL AND number NOT IN"
            " (SELECT number FROM prompts WHERE name = ? AND deleted_at IS NOT NULL"
            " ORDER BY deleted_at DESC, number DESC LIMIT ?)",
            (name, name, MOST_BEFORE),
        )
        return bool(changed.rowcount)


def unknown(name: str, others: Iterable[str] = ()) -> UnknownPromptError:
    """That there is none of this name, with those that are called nearly so."""
    from difflib import get_close_matches

    near = get_close_matches(name, list(others), 3)
    hint = f"Did you mean {', '.join(near)}?" if near else "`playground prompts list` shows all."
    return UnknownPromptError(f"There is no prompt or persona {name!r}.", hint)


def _found(connection: Connection, where: str, name: str) -> tuple[int, Prompt] | None:
    row = connection.execute(
        f"SELECT number, {_COLUMNS} FROM prompts WHERE {where}",  # noqa: S608
        (storable(name),),
    ).fetchone()
    return None if row is None else (int(row[0]), _prompt(row[1:]))


def _prompt(row: tuple[Any, ...]) -> Prompt:
    return Prompt(
        name=row[0],
        kind=row[1],
        title=row[2],
        description=row[3],
        tags=msgspec.json.decode(row[4], type=tuple[str, ...]),
        text=row[5],
        model=row[6],
        sampling=msgspec.json.decode(row[7], type=Sampling),
        updated_at=row[8],
        deleted_at=row[9],
    )


def _storable(prompt: Prompt) -> Prompt:
    sampling = prompt.sampling
    return msgspec.structs.replace(
        prompt,
        name=storable(prompt.name),
        title=storable(prompt.title),
        description=storable(prompt.description),
        tags=tuple(map(storable, prompt.tags)),
        text=storable(prompt.text),
        model=storable(prompt.model),
        sampling=msgspec.structs.replace(sampling, stop=tuple(map(storable, sampling.stop))),
    )
