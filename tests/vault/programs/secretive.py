"""Keeps secrets in every place that a person can put them, then waits to be looked at and killed.

Usage: ``python -m tests.vault.programs.secretive HOME``; one secret a line on stdin. Prints ``kept`` when all is done.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING

from app.chat import Exchange, Outgoing
from app.messages import Failure, Message, Sampling
from app.playground import Playground
from app.vault import Session
from tests.vault.durability import Parrot

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


async def main() -> None:
    from app.chat.keeping import Keeping

    secrets = iter(sys.stdin.read().split())
    playground = Playground.open({**os.environ, "PLAYGROUND_HOME": sys.argv[1]})
    vault = playground.vault
    await vault.open()
    keeping = Keeping(vault, lambda _error: None)
    for _ in range(5):
        conversation, keeper = keeping.begin(system=next(secrets), title=next(secrets))
        question = conversation.append(Message.user(next(secrets)))
        parrot = Parrot([next(secrets) + " ", next(secrets)])
        exchange = Exchange(Outgoing(conversation, "script"), parrot, settle=keeper.settle)
        async for _event in exchange.run(question.id):
            pass
        thoughts = conversation.append(Message.assistant("Well.", thinking=next(secrets)))
        assert thoughts.message.parts
        assert await keeper.settle()
        await vault.sessions.set_tags(keeper.session.id, (next(secrets),))
        await vault.notes.put("draft", next(secrets).encode())
        assert await vault.search.messages(question.message.text)
    sampling = Sampling(stop=(next(secrets),))
    await vault.sessions.create(Session(id="s", title=next(secrets), system=next(secrets), sampling=sampling))
    secret = next(secrets)

    def elsewhere(connection: Connection) -> None:
        connection.execute(
            "INSERT INTO posts (id, title, slug, tags, body, created_at, updated_at) VALUES ('p', ?, ?, ?, ?, 0, 0)",
            (secret, secret, json.dumps([secret]), f"# {secret}"),
        )
        connection.execute(
            "INSERT INTO post_revisions (post, created_at, title, body) VALUES (1, 0, ?, ?)", (secret, secret)
        )
        connection.execute("INSERT INTO secrets (name, value, updated_at) VALUES ('k', ?, 0)", (secret.encode(),))
        connection.execute("INSERT INTO prompts (name, kind, text, updated_at) VALUES (?, 'x', ?, 0)", (secret, secret))

    await vault.database.write(elsewhere)
    failed = Message.assistant(next(secrets))
    conversation, keeper = keeping.begin()
    node = conversation.append(failed, status="failed")
    conversation.save(type(node)(**{**as_fields(node), "error": Failure("x", "It failed", next(secrets))}))
    assert await keeper.settle()
    await vault.search.messages(next(secrets))
    await vault.search.sessions(next(secrets))
    gone = conversation.append(Message.user(next(secrets)))
    assert await keeper.settle()
    conversation.forget(gone.id)
    assert await keeper.settle()
    await vault.backups.create()
    await vault.rekey(lambda _done, _all: None)
    await vault.set_passphrase(next(secrets))
    # Left in the write-ahead log, with a large answer that is still coming.
    conversation.append(Message.assistant(f"{next(secrets)} " * 2000), status="streaming")
    assert await keeper.settle()
    sys.stdout.write("kept\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def as_fields(node: object) -> dict[str, object]:
    return {name: getattr(node, name) for name in node.__struct_fields__}  # type: ignore[attr-defined]


if __name__ == "__main__":
    asyncio.run(main())
