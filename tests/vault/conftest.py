"""What the vault's tests share: vaults in fresh folders, and a sound one with something in it."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.messages import Message, Node
from app.vault import Session, Vault, WholeSession


def vault_at(folder: Path, **chosen: object) -> Vault:
    return Vault(folder, folder / "backups", **chosen)  # type: ignore[arg-type]


def conversation(name: str, *said: str, **chosen: object) -> WholeSession:
    """A conversation in which the person and the model take turns."""
    nodes: list[Node] = []
    for place, text in enumerate(said):
        message = Message.assistant(text, "hm") if place % 2 else Message.user(text)
        parent = nodes[-1].id if nodes else None
        nodes.append(Node(id=f"{name}-{place}", parent_id=parent, message=message, created_at=float(place)))
    session = Session(id=name, head_id=nodes[-1].id if nodes else None, **chosen)  # type: ignore[arg-type]
    return WholeSession(session, tuple(nodes))


async def everything(vault: Vault) -> dict[str, WholeSession]:
    """All that the vault keeps of conversations, by id."""
    lines = [
        line for shelf in ("current", "archived", "bin") for line in await vault.sessions.lines(0, 10_000, shelf=shelf)
    ]  # type: ignore[arg-type]
    return {line.id: await vault.sessions.load(line.id) for line in lines}


def fingerprints(folder: Path) -> dict[str, str]:
    """Every file under a folder with the SHA-256 of its bytes; the locks, which hold nothing, left out."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("vault.lock", "vault.gate")
    }


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[Vault]:
    """An open vault that nothing protects, in a fresh folder."""
    folder = tmp_path / "data"
    folder.mkdir()
    made = vault_at(folder)
    await made.open()
    yield made
    await made.close()


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a closed vault with conversations in it, opened by its key file. To be copied, not changed."""
    folder = tmp_path_factory.mktemp("sound")

    async def fill() -> None:
        made = vault_at(folder)
        await made.open()
        for number in range(6):
            said = [f"message {number} {place} about the lighthouse " * 12 for place in range(30)]
            await made.sessions.add(conversation(f"s{number}", *said, title=f"Lighthouse {number}", tags=("sea",)))
        await made.close()

    asyncio.run(fill())
    return folder


@pytest.fixture
def copied(sound: Path, tmp_path: Path) -> Path:
    """A copy of the sound vault's folder."""
    folder = tmp_path / "copied"
    shutil.copytree(sound, folder)
    return folder
