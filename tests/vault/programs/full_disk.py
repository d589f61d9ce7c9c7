"""Does everything that a vault does on a disk that is full at every possible moment, and says what came of it.

Usage: ``python -m tests.vault.programs.full_disk FOLDER``: the folder is a small file system of its own. Prints a line
of JSON for each attempt.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

from app.chat import Exchange, Outgoing
from app.chat.keeping import Keeping
from app.errors import DiskFullError, PlaygroundError
from app.messages import ChatRequest, Delta, Finished, Message, Started, TextDelta
from app.vault import Vault

PAGE = 4096
ROOMS = [pages * PAGE for pages in (0, 1, 2, 3, 4, 6, 8, 9, 10, 12, 16, 24, 32, 48, 64, 96, 128)]
FEW_ROOMS = ROOMS[::4]
WRITTEN = 6


class Disk:
    """A small file system, filled by a file of no use but for so much room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def leave(self, room: int) -> None:
        self.empty()
        state = os.statvfs(self.folder)
        size = max(0, state.f_bavail * state.f_frsize - room)
        with self._ballast.open("wb") as file:
            if size:
                os.posix_fallocate(file.fileno(), 0, size)

    def empty(self) -> None:
        self._ballast.unlink(missing_ok=True)


class Slow:
    """Answers in pieces; the disk is full from the second on."""

    def __init__(self, fill: Callable[[], None], pieces: int) -> None:
        self._fill, self._pieces = fill, pieces

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        yield Started(request.model, "script")
        for number in range(self._pieces):
            if number == 1:
                self._fill()
            await asyncio.sleep(0.02)
            yield TextDelta(f"piece {number} " * 20)
        yield Finished("stop")


class Trial:
    def __init__(self, folder: Path) -> None:
        self.disk = Disk(folder)
        self.home = folder / "home"

    def vault(self) -> Vault:
        return Vault(self.home, self.home / "backups")

    async def fresh(self, messages: int = 12) -> Vault:
        """An open vault in a fresh folder, with one conversation."""
        self.disk.empty()
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        vault = self.vault()
        await vault.open()
        conversation, keeper = Keeping(vault, lambda _error: None).begin(title="before")
        for number in range(messages):
            conversation.append(Message.user(f"before {number} " * 50))
        assert await keeper.settle()
        await keeper.aclose()
        return vault

    async def require(self, vault: Vault, count: int) -> None:
        """The vault is sound, and has so many messages."""
        assert await vault.check() == []
        lines = await vault.sessions.lines()
        assert sum(line.messages for line in lines) == count, lines
        assert sum([len((await vault.sessions.load(line.id)).nodes) for line in lines]) == count

    async def attempt(self, name: str, room: int, work: Callable[[], Awaitable[object]]) -> bool:
        """Whether it worked with so much room; a full disk is said so."""
        self.disk.leave(room)
        try:
            await work()
        except DiskFullError as error:
            say(name, room, error)
            return False
        finally:
            self.disk.empty()
        say(name, room, None)
        return True

    async def creation(self) -> None:
        for room in (*ROOMS, 192 * PAGE, 256 * PAGE):  # a vault's tables take half a megabyte
            self.disk.empty()
            shutil.rmtree(self.home, ignore_errors=True)
            self.home.mkdir()
            vault = self.vault()
            await self.attempt("creation", room, vault.open)
            await vault.open()
            await self.require(vault, 0)
            await vault.close()

    async def writing(self) -> None:
        for room in ROOMS:
            vault = await self.fresh()
            told: list[PlaygroundError | None] = []
            conversation, keeper = Keeping(vault, told.append).begin(title="now")
            self.disk.leave(room)
            acknowledged = 0
            for number in range(WRITTEN):
                conversation.append(Message.user(f"now {number} " * 100))
                acknowledged += await keeper.settle()
            say("writing", room, told[0] if told else None)
            assert bool(told) == (acknowledged < WRITTEN)
            await vault.close()  # with the disk still full
            self.disk.empty()
            await vault.open()
            kept = sum(line.messages for line in await vault.sessions.lines())
            assert kept >= 12 + acknowledged, (kept, acknowledged)
            assert await keeper.settle()
            await self.require(vault, 12 + WRITTEN)
            if told:
                assert told[-1] is None
            await keeper.aclose()
            await vault.close()

    async def streaming(self) -> None:
        for room in FEW_ROOMS:
            vault = await self.fresh()
            told: list[PlaygroundError | None] = []
            conversation, keeper = Keeping(vault, told.append).begin()
            question = conversation.append(Message.user("A long story?"))
            answering = Slow(lambda room=room: self.disk.leave(room), 60)  # type: ignore[misc]
            async for _event in Exchange(Outgoing(conversation, "m"), answering, settle=keeper.settle).run(question.id):
                pass
            say("streaming", room, told[0] if told else None)
            whole = conversation.path()[-1]
            assert whole.status == "complete"
            self.disk.empty()
            end = asyncio.get_running_loop().time() + 5
            while keeper.unwritten and asyncio.get_running_loop().time() < end:
                await asyncio.sleep(0.05)  # by itself: nobody asks it to try again
            assert not keeper.unwritten
            assert (await vault.sessions.load(keeper.session.id)).nodes[-1] == whole
            await self.require(vault, 14)
            await keeper.aclose()
            await vault.close()

    async def backing_up(self) -> None:
        for room in ROOMS:
            vault = await self.fresh()
            first = await vault.backups.create()
            done = await self.attempt("backing up", room, vault.backups.create)
            assert len(list((self.home / "backups").iterdir())) == 1 + done
            assert first in vault.backups.list()
            await vault.backups.create()
            await self.require(vault, 12)
            await vault.close()

    async def rewriting(self) -> None:
        for room in ROOMS:
            vault = await self.fresh()
            await self.attempt("rewriting", room, lambda vault=vault: vault.rekey(lambda _done, _all: None))  # type: ignore[misc]
            await self.require(vault, 12)
            assert not (self.home / "vault.db.new").exists()
            await vault.rekey(lambda _done, _all: None)
            await vault.close()
            await vault.open()
            await self.require(vault, 12)
            await vault.close()

    async def changing_the_passphrase(self) -> None:
        for room in ROOMS[:3]:
            vault = await self.fresh()
            changed = await self.attempt("changing", room, lambda vault=vault: vault.set_passphrase("new"))  # type: ignore[misc]
            await vault.close()
            await vault.open("new" if changed else None)
            await self.require(vault, 12)
            await vault.close()

    async def opening(self) -> None:
        """After a kill: the log is not folded in, and an answer is marked as coming."""
        for room in ROOMS:
            vault = await self.fresh()
            conversation, keeper = Keeping(vault, lambda _error: None).begin()
            conversation.append(Message.user("What?"))
            conversation.append(Message.assistant("Well"), status="streaming")
            assert await keeper.settle()
            killed = self.disk.folder / "killed"
            shutil.copytree(self.home, killed)
            await keeper.aclose()
            await vault.close()
            shutil.rmtree(self.home)
            killed.rename(self.home)
            (self.home / "vault.db-shm").unlink()
            await self.attempt("opening", room, vault.open)
            await vault.open()
            await self.require(vault, 14)
            assert (await vault.sessions.load(keeper.session.id)).nodes[-1].status == "cut"
            await vault.close()

    async def bringing_back(self) -> None:
        for room in ROOMS:
            vault = await self.fresh()
            backup = await vault.backups.create()
            conversation, keeper = Keeping(vault, lambda _error: None).begin()
            conversation.append(Message.user("later"))
            assert await keeper.settle()
            await keeper.aclose()
            done = await self.attempt("bringing back", room, lambda vault=vault: vault.restore(backup.path))  # type: ignore[misc]  # noqa: B023
            await vault.open()
            await self.require(vault, 12 if done else 13)
            await vault.close()


def say(name: str, room: int, error: PlaygroundError | None) -> None:
    print(json.dumps({"name": name, "room": room, "error": None if error is None else str(error)}), flush=True)


async def main(folder: Path) -> None:
    trial = Trial(folder)
    for work in (
        trial.creation,
        trial.writing,
        trial.streaming,
        trial.backing_up,
        trial.rewriting,
        trial.changing_the_passphrase,
        trial.opening,
        trial.bringing_back,
    ):
        await work()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
