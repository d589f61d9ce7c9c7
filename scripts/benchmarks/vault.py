"""What encryption costs: the vault beside plain SQLite with the same schema, pragmas, statements and code, in turns.

A message written and committed; a conversation of 10,000 messages opened; search over a million messages, at every
key; the list of 50,000 sessions at its beginning, middle and end. The words and how often each comes are those of
Python's own library: real words in a real distribution, the same on every machine with this Python.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import report

sys.path.insert(0, str(report.REPOSITORY))
from app.chat import Conversation
from app.messages import Message, Node
from app.vault import Session, Vault, WholeSession
from app.vault.conversations.messages import Messages, insert_nodes, session_number
from app.vault.conversations.search import Search
from app.vault.conversations.sessions import Sessions
from app.vault.storage.database import Database, Lane

PRAGMAS = (
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -16384",
    "PRAGMA journal_size_limit = 16777216",
)
LONG = "a long conversation"
WRITTEN = "the conversation that is written to"
QUERIES = 60
PAGE = 100


class Side:
    """The vault's own repositories, on one kind of database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sessions, self.messages, self.search = Sessions(database), Messages(database), Search(database)


class Plain(Database):
    """The same over the standard library's SQLite. For figures only: nothing of a person's ever goes there."""

    def open(self) -> None:
        lanes: list[Any] = []
        for name in ("write", "read", "read"):
            connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            for pragma in PRAGMAS:
                connection.execute(pragma)
            lanes.append(Lane(self.path, connection, name))
        self._writer, self._readers = lanes[0], tuple(lanes[1:])


class Words:
    """Text as people and models write it, in length and in the frequency of its words."""

    def __init__(self, seed: int = 1) -> None:
        counted: Counter[str] = Counter()
        for path in sorted(Path(os.__file__).parent.glob("*.py")) + sorted(Path(os.__file__).parent.glob("*/*.py")):
            counted.update(word.lower() for word in re.findall(r"[A-Za-z]{2,}", path.read_text("utf-8", "replace")))
        self.by_frequency = [word for word, _ in counted.most_common()]
        self._sums = list(accumulate(counted[word] for word in self.by_frequency))
        self.chance = random.Random(seed)

    def text(self, words: int) -> str:
        return " ".join(self.some(words))

    def some(self, words: int) -> list[str]:
        return self.chance.choices(self.by_frequency, cum_weights=self._sums, k=words)

    def nodes(self, session: str, messages: int) -> Iterator[Node]:
        parent: str | None = None
        for number in range(messages):
            length = max(2, round(self.chance.lognormvariate(2.3 if number % 2 == 0 else 3.9, 0.7)))
            said = self.text(length)
            message = Message.assistant(said) if number % 2 else Message.user(said)
            yield Node(id=f"{session}-{number}", parent_id=parent, message=message, created_at=float(number))
            parent = f"{session}-{number}"


async def fill(vault: Vault, words: Words, sessions: int, messages: int) -> None:
    """Sessions of equal length, a few of them in one transaction, as a year of use would leave them."""
    from app.vault.conversations.sessions import _save

    each, at_once = max(1, messages // sessions), 50
    for start in range(0, sessions, at_once):
        made: list[tuple[Session, list[Node]]] = []
        for number in range(start, min(sessions, start + at_once)):
            name = f"{number:08}"
            session = Session(
                id=name,
                title=words.text(4),
                created_at=float(number),
                updated_at=float(number),
                pinned=number % 5000 == 0,
                tags=tuple(words.some(1)) if number % 3 == 0 else (),
                head_id=f"{name}-{each - 1}",
            )
            made.append((session, list(words.nodes(name, each))))

        def write(connection: Any, made: list[tuple[Session, list[Node]]] = made) -> None:
            for session, nodes in made:
                _save(connection, session)
                number = session_number(connection, session.id)
                insert_nodes(connection, number, nodes)
                connection.execute("UPDATE sessions SET messages = ? WHERE number = ?", (len(nodes), number))

        await vault.database.write(write)
    for name, length in ((LONG, 10_000), (WRITTEN, 2)):
        nodes = tuple(words.nodes(name, length))
        await vault.sessions.add(WholeSession(Session(id=name, title=name, head_id=nodes[-1].id), nodes))


async def decrypted(vault: Vault, path: Path) -> None:
    """The same rows and indexes, page for page in the same order, without encryption."""

    def copy(connection: Any) -> None:
        connection.execute(f"ATTACH DATABASE '{path}' AS plain KEY ''")
        connection.execute("SELECT sqlcipher_export('plain')").fetchone()
        connection.execute("DETACH DATABASE plain")

    await vault.database.exclusively(copy)


Work = Callable[[Side], Awaitable[object]]


async def timed(work: Work, side: Side) -> float:
    began = time.perf_counter()
    await work(side)
    return (time.perf_counter() - began) * 1000


async def beside(vault: Side, plain: Side, works: list[Work]) -> tuple[list[float], list[float]]:
    """Milliseconds of each piece of work on each side, in turns, and each side first as often as the other."""
    ours, theirs = [], []
    for number, work in enumerate(works):
        if number % 2:
            ours.append(await timed(work, vault))
            theirs.append(await timed(work, plain))
        else:
            theirs.append(await timed(work, plain))
            ours.append(await timed(work, vault))
    return ours, theirs


def compared(ours: list[float], theirs: list[float]) -> dict[str, float]:
    """Medians and 95th percentiles in milliseconds, and the ratio of the medians."""
    return {
        "vault_median_ms": round(report.median(ours), 3),
        "plain_median_ms": round(report.median(theirs), 3),
        "ratio": round(report.median(ours) / report.median(theirs), 2),
        "vault_p95_ms": round(report.percentile(ours, 0.95), 3),
        "plain_p95_ms": round(report.percentile(theirs, 0.95), 3),
        "vault_most_ms": round(max(ours), 3),
    }


def writing(words: Words, rounds: int) -> list[Work]:
    def work(number: int) -> Work:
        node = Node(
            id=f"written-{number}",
            parent_id=None,
            message=Message.user(words.text(40)),
            created_at=float(number),
        )
        return lambda side: side.messages.save(WRITTEN, [node], node.id)

    return [work(number) for number in range(rounds)]


async def opened(side: Side) -> None:
    whole = await side.sessions.load(LONG)
    conversation = Conversation(whole.nodes, whole.session.system)
    conversation.show(whole.session.head_id)
    if len(conversation.path()) != 10_000:
        raise RuntimeError("the long conversation is not whole")


def searches(words: Words) -> dict[str, list[str]]:
    """What is typed, by kind. Words are chosen by how often they come, as people choose them, unless it says so."""
    chance, known = random.Random(7), words.by_frequency
    common, rare = known[:200], known[2000:]
    usual = [word for word in words.some(4000) if len(word) > 3]
    kinds: dict[str, list[str]] = {
        "a common word": [f"{chance.choice(common)} " for _ in range(QUERIES)],
        "a rare word": [f"{chance.choice(rare)} " for _ in range(QUERIES)],
        "two usual words": [f"{chance.choice(usual)} {chance.choice(usual)} " for _ in range(QUERIES)],
        "a common and a rare word": [f"{chance.choice(common)} {chance.choice(rare)} " for _ in range(QUERIES)],
        "two rare words": [f"{chance.choice(rare)} {chance.choice(rare)} " for _ in range(QUERIES)],
        "a word and a beginning": [f"{chance.choice(usual)} {chance.choice(usual)[:3]}" for _ in range(QUERIES)],
    }
    for letters in range(1, 7):
        long = [word for word in usual if len(word) >= letters]
        kinds[f"{letters} letters"] = [chance.choice(long)[:letters] for _ in range(QUERIES)]
    return kinds


async def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench vault")
    parser.add_argument("--rounds", type=int, default=400, help="messages written on each side")
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--sessions", type=int, default=50_000)
    parser.add_argument("--json", type=Path, default=report.REPOSITORY / ".cache" / "bench-vault.json")
    chosen = parser.parse_args()
    words = Words()
    figures: dict[str, Any] = {"messages": chosen.messages, "sessions": chosen.sessions}
    with tempfile.TemporaryDirectory() as folder:
        vault = Vault(Path(folder), Path(folder) / "backups")
        await vault.open()
        began = time.perf_counter()
        await fill(vault, words, chosen.sessions, chosen.messages)
        figures["filled_in_s"] = round(time.perf_counter() - began, 1)
        database = Plain(Path(folder) / "plain.db")
        await decrypted(vault, database.path)
        await vault.close()  # a fresh start, with nothing in the caches of the connections
        await vault.open()
        database.open()
        ours, plain = Side(vault.database), Side(database)
        figures["size_mb"] = round((Path(folder) / "vault.db").stat().st_size / 1e6)
        print(f"{chosen.messages} messages in {figures['filled_in_s']} s, {figures['size_mb']} MB", flush=True)

        async def measured(name: str, works: list[Work]) -> dict[str, float]:
            figure = compared(*await beside(ours, plain, works))
            print(
                f"{name:42} vault {figure['vault_median_ms']:9.3f} ms (p95 {figure['vault_p95_ms']:9.3f}), plain"
                f" {figure['plain_median_ms']:9.3f} ms (p95 {figure['plain_p95_ms']:9.3f}): {figure['ratio']:.2f} x",
                flush=True,
            )
            return figure

        figures["message_committed"] = await measured("a message written and committed", writing(words, chosen.rounds))
        figures["conversation_opened"] = await measured("10,000 messages opened", [opened] * 15)
        figures["search"] = {}
        all_ours: list[float] = []
        for kind, queries in searches(words).items():
            works: list[Work] = [lambda side, query=query: side.search.messages(query) for query in queries]  # type: ignore[misc]
            times = await beside(ours, plain, works)
            all_ours += times[0]
            figures["search"][kind] = compared(*times)
            print(f"search, {kind:34} {figures['search'][kind]}", flush=True)
        figures["search"]["all"] = {
            "vault_median_ms": round(report.median(all_ours), 2),
            "vault_p95_ms": round(report.percentile(all_ours, 0.95), 2),
            "vault_most_ms": round(max(all_ours), 2),
        }
        print(f"search, all: {figures['search']['all']}")
        figures["session_list"] = {}
        for place, offset in (
            ("first page", 0),
            ("middle", chosen.sessions // 2),
            ("end", max(0, chosen.sessions - PAGE)),
        ):
            page: Work = lambda side, offset=offset: side.sessions.lines(offset, PAGE)  # type: ignore[misc]  # noqa: E731
            figures["session_list"][place] = await measured(f"session list, {place}", [page] * 40)
        figures["session_list"]["count"] = await measured(
            "session list, how many", [lambda side: side.sessions.count()] * 40
        )
        await database.detach()
        await vault.close()
    report.write(chosen.json, figures)


if __name__ == "__main__":
    asyncio.run(main())
