"""A chat that is killed at random moments, and what must be there afterwards.

A child process opens the vault, asks, is answered in pieces by a script, and writes into a ledger outside the home what
it has been told is kept: only then. Beside the chat it rewrites, backs up, restores, changes the passphrase. It is
killed by SIGKILL at a random moment; then the vault is opened as any next start opens it, and compared with the ledger.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import multiprocessing
import random
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from app.chat import AnswerBegun, AnswerEnded, Conversation, Exchange, Outgoing, TextArrived
from app.chat.keeping import Keeper, Keeping
from app.errors import PlaygroundError, WrongPassphraseError
from app.messages import ChatRequest, Delta, Finished, Message, Node, Started, TextDelta
from app.vault import Vault
from app.vault.copies.backup import verify

Operation = Literal["chat", "rekey", "passphrase", "backup", "restore"]
OPERATIONS: tuple[Operation, ...] = ("chat", "rekey", "passphrase", "backup", "restore")

_PIECE_SECONDS = 0.01
_BACKUPS_KEPT = 3


def forks() -> Any:
    """Children that start quickly: forked from a process that has imported everything and runs no threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "app.vault.vault", "sqlcipher3.dbapi2", "sqlite_utils"])
    return context


def vault_in(home: Path) -> Vault:
    return Vault(home / "data", home / "data" / "backups")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def script(turn: str, pieces: int) -> list[str]:
    """The pieces of an answer, which the parent can say again."""
    return [f"{turn}.{number} " for number in range(pieces)]


class Parrot:
    """Answers with its script, a piece every hundredth of a second."""

    def __init__(self, pieces: list[str]) -> None:
        self._pieces = pieces

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        yield Started(request.model, "script")
        for piece in self._pieces:
            await asyncio.sleep(_PIECE_SECONDS)
            yield TextDelta(piece)
        yield Finished("stop")


# The child


class Ledger:
    """Lines that survive the child, written through at once."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def write(self, what: str, **more: Any) -> None:
        self._file.write(json.dumps({"what": what, **more}).encode() + b"\n")

    def kept(self, node: Node) -> None:
        self.write("kept", id=node.id, text=digest(node.message.text), length=len(node.message.text))


class Child:
    """The program that is killed."""

    def __init__(
        self, home: Path, ledger: Path, passphrase: str, words: dict[str, str], seed: int, operation: Operation
    ) -> None:
        self.vault = vault_in(home)
        self.ledger = Ledger(ledger)
        self.words = words
        self.passphrase, self.seed, self.operation = passphrase, seed, operation
        self.chance = random.Random(seed)
        self.keeping = Keeping(self.vault, lambda _error: None)
        self.turning = asyncio.Lock()
        self.kept_open: tuple[Conversation, Keeper] | None = None

    async def run(self) -> None:
        await self.vault.open(self.passphrase)
        last = await self.keeping.last_open()
        if last is not None and self.chance.random() < 0.5:
            self.kept_open = await self.keeping.resume(last)
        self.ledger.write("ready")
        async with asyncio.TaskGroup() as group:
            group.create_task(self.chat())
            if self.operation != "chat":
                group.create_task(self.operate())

    async def chat(self) -> None:
        for number in range(10_000):
            async with self.turning:
                await self.turn(f"{self.seed}-{number}")
            await asyncio.sleep(0)

    async def turn(self, turn: str) -> None:
        if self.kept_open is None or self.chance.random() < 0.1:
            self.kept_open = self.keeping.begin(title=turn)
        conversation, keeper = self.kept_open
        question = conversation.append(Message.user(f"What of {turn}?"))
        most = 20 if self.operation == "restore" else self.chance.choice((5, 10, 250))
        pieces = script(turn, self.chance.randint(1, most))
        exchange = Exchange(Outgoing(conversation, "script"), Parrot(pieces), settle=keeper.settle)
        acknowledged, length = False, 0
        async for event in exchange.run(question.id):
            if isinstance(event, AnswerBegun):
                self.ledger.write("begun", id=event.node.id, turn=turn, pieces=len(pieces))
                continue
            if not acknowledged:
                self.ledger.kept(question)
                acknowledged = True
            if isinstance(event, TextArrived):
                length += len(event.text)
                self.ledger.write("piece", id=conversation.path()[-1].id, length=length, at=time.monotonic())
            elif isinstance(event, AnswerEnded):
                self.ledger.kept(event.node)
        await self.keeping.note_open(keeper.session.id)

    async def operate(self) -> None:
        for number in range(10_000):
            await asyncio.sleep(self.chance.random() * 0.05)
            if self.operation == "rekey":
                await self.vault.rekey(lambda _done, _all: None)
            elif self.operation == "passphrase":
                fresh = f"word {self.seed} {number}"
                self.ledger.write("changing", passphrase=fresh)
                await self.vault.set_passphrase(fresh)
                self.passphrase = fresh
                self.ledger.write("changed", passphrase=fresh)
            elif self.operation == "backup" or not self.words:
                await self.back_up()
            else:
                await self.restore(self.chance.choice(sorted(self.words)))
            self.ledger.write("did", operation=self.operation)

    async def back_up(self) -> None:
        self.ledger.write("copying")
        backup = await self.vault.backups.create()
        self.words[str(backup.path)] = self.passphrase
        self.ledger.write("copied", path=str(backup.path))
        while len(self.words) > _BACKUPS_KEPT:
            old = min(self.words)
            del self.words[old]
            self.ledger.write("dropped", path=old)
            Path(old).unlink()

    async def restore(self, backup: str) -> None:
        async with self.turning:
            self.kept_open = None
            self.ledger.write("restoring", path=backup)
            self.passphrase = self.words[backup]
            await self.vault.restore(Path(backup), self.passphrase)
            self.ledger.write("restored", path=backup)
            await self.vault.open(self.passphrase)


def child_main(
    home: Path, ledger: Path, passphrase: str, words: dict[str, str], seed: int, operation: Operation
) -> None:
    asyncio.run(Child(home, ledger, passphrase, words, seed, operation).run())


# The parent


@dataclass
class World:
    """What must be there: acknowledged messages by id, under one passphrase."""

    passphrase: str
    kept: dict[str, str] = field(default_factory=dict)


@dataclass
class Streaming:
    """An answer that was coming."""

    turn: str
    pieces: int
    arrived: list[tuple[float, int]] = field(default_factory=list)


@dataclass
class Outcome:
    """What one kill showed."""

    operation: Operation
    acknowledged: int
    operations: int
    in_operation: bool
    lost_seconds: float | None
    problems: list[str]


class Durability:
    """Kills a chat again and again, on one home, and looks after each kill."""

    def __init__(self, home: Path, outside: Path) -> None:
        self._home, self._outside = home, outside
        (home / "data").mkdir(parents=True, exist_ok=True)
        self.world = World("the first word")
        self._copies: dict[str, World] = {}
        self._context = forks()

    def round(self, seed: int, operation: Operation, longest: float = 1.2) -> Outcome:
        """Starts the chat, kills it within ``longest`` seconds of being ready, looks."""
        ledger = self._outside / f"ledger-{seed}"
        words = {path: world.passphrase for path, world in self._copies.items()}
        child = self._context.Process(
            target=child_main, args=(self._home, ledger, self.world.passphrase, words, seed, operation), daemon=True
        )
        child.start()
        self._wait_until_ready(ledger, child)
        time.sleep(random.Random(seed).random() * longest)
        died_by_itself = not child.is_alive()
        at = time.monotonic()
        child.kill()
        child.join()
        worlds, streaming, operations, in_operation = self._read(ledger)
        acknowledged = ledger.read_bytes().count(b'"what": "kept"')
        ledger.unlink()
        problems = [f"the chat ended by itself, exit code {child.exitcode}"] if died_by_itself else []
        lost = asyncio.run(self._look(worlds, streaming, at, problems))
        return Outcome(operation, acknowledged, operations, in_operation, lost, problems)

    def _wait_until_ready(self, ledger: Path, child: Any) -> None:
        end = time.monotonic() + 30
        while not (ledger.exists() and b"ready" in ledger.read_bytes()):
            if time.monotonic() > end or not child.is_alive():
                raise RuntimeError(f"the chat did not start (exit code {child.exitcode})")
            time.sleep(0.005)

    def _read(self, ledger: Path) -> tuple[list[World], dict[str, Streaming], int, bool]:
        """The worlds that may be found, the newest last; and the answers that were coming."""
        world = self.world
        other: World | None = None
        streaming: dict[str, Streaming] = {}
        at_copying: dict[str, str] = {}
        operations, in_operation = 0, False
        for raw in ledger.read_bytes().splitlines():
            line = json.loads(raw)
            match line["what"]:
                case "kept":
                    world.kept[line["id"]] = line["text"]
                    streaming.pop(line["id"], None)
                case "begun":
                    streaming[line["id"]] = Streaming(line["turn"], line["pieces"])
                case "piece":
                    streaming[line["id"]].arrived.append((line["at"], line["length"]))
                case "changing":
                    other = World(line["passphrase"], world.kept)
                    in_operation = True
                case "changed":
                    world, other = World(line["passphrase"], world.kept), None
                case "copying":
                    at_copying = dict(world.kept)
                    in_operation = True
                case "copied":
                    self._copies[line["path"]] = World(world.passphrase, at_copying)
                case "dropped":
                    del self._copies[line["path"]]
                case "restoring":
                    copy = self._copies[line["path"]]
                    other = World(copy.passphrase, dict(copy.kept))
                    in_operation = True
                case "restored":
                    assert other is not None
                    world, other, streaming = other, None, {}
                case "did":
                    operations += 1
                    in_operation = False
        return [world] if other is None else [world, other], streaming, operations, in_operation

    async def _look(
        self, worlds: list[World], streaming: dict[str, Streaming], at: float, problems: list[str]
    ) -> float | None:
        vault = vault_in(self._home)
        opened = await self._open(vault, [world.passphrase for world in worlds], problems)
        if opened is None:
            return None
        try:
            if damage := await vault.check():
                problems.append(f"the check found {damage}")
            found: dict[str, Node] = {}
            for shelf in ("current", "archived", "bin"):
                for line in await vault.sessions.lines(limit=1_000_000, shelf=shelf):
                    found |= {node.id: node for node in (await vault.sessions.load(line.id)).nodes}
            fitting = [world for world in worlds if world.passphrase == opened and not missing(world, found)]
            if not fitting:
                self.world = next(world for world in worlds if world.passphrase == opened)
                problems.append(f"acknowledged and not there: {missing(self.world, found)[:5]}")
                return None
            self.world = fitting[-1]
            if streams := [node.id for node in found.values() if node.status == "streaming"]:
                problems.append(f"still streaming: {streams}")
            # A restore that was done leaves nothing of what streamed before it.
            return (
                None
                if len(worlds) > 1 and self.world is worlds[-1] and worlds[0].kept is not self.world.kept
                else (lost_seconds(streaming, found, at, problems))
            )
        finally:
            await vault.close()

    async def _open(self, vault: Vault, passphrases: list[str], problems: list[str]) -> str | None:
        """Opens with the one passphrase that fits; around a change the other must not."""
        candidates = list(dict.fromkeys(passphrases))
        fits: list[str] = []
        for passphrase in candidates:
            try:
                await vault.open(passphrase)
            except WrongPassphraseError:
                continue
            except PlaygroundError as error:
                problems.append(f"does not open: {error.title}: {error}")
                continue
            fits.append(passphrase)
            if len(candidates) == 1:
                return passphrase
            await vault.close()
        if len(fits) != 1 or fits[0] not in candidates:
            problems.append(f"{fits} of {candidates} open it")
            return None
        await vault.open(fits[0])
        return fits[0]

    def check_copies(self) -> list[str]:
        """What is wrong with the backups that were said to be made."""
        problems = []
        for path, world in self._copies.items():
            try:
                verify(Path(path), world.passphrase)
            except PlaygroundError as error:
                problems.append(f"{path}: {error}")
        return problems


def missing(world: World, found: dict[str, Node]) -> list[str]:
    """Acknowledged messages that are not there, or say something else."""
    return [
        node_id
        for node_id, text in world.kept.items()
        if node_id not in found or digest(found[node_id].message.text) != text
    ]


def lost_seconds(
    streaming: dict[str, Streaming], found: dict[str, Node], killed: float, problems: list[str]
) -> float | None:
    """How much of the answer that was coming is gone, in seconds; None when none was coming."""
    lost: float | None = None
    for node_id, coming in streaming.items():
        if not coming.arrived:
            continue
        node = found.get(node_id)
        if node is None:
            problems.append(f"the answer {node_id} had begun and is not there")
            continue
        text = node.message.text
        if not "".join(script(coming.turn, coming.pieces)).startswith(text):
            problems.append(f"the answer {node_id} says what was never said")
        if node.status != "cut" and len(coming.arrived) < coming.pieces:
            problems.append(f"the answer {node_id} is marked {node.status}, not cut")
        gone = [when for when, length in coming.arrived if length > len(text)]
        lost = max(lost or 0.0, killed - min(gone) if gone else 0.0)
    if lost is not None and lost > 1.0:
        problems.append(f"the last {lost:.2f} s of an answer are gone")
    return lost
