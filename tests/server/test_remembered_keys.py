"""Keys that are used all the time: no request waits for the vault, and none opens for longer than it may."""

from __future__ import annotations

import asyncio
import time

import pytest

from app.server.auth.claims import Claim
from app.server.auth.keys import VaultKeys
from app.server.gate.refusals import KeyRefusedError

from .gated import new_vault


class Counted:
    """The vault's keys, slow and counted."""

    def __init__(self, keys) -> None:
        self._keys, self.asked = keys, 0

    async def identify(self, text: str):
        self.asked += 1
        await asyncio.sleep(0.1)
        return await self._keys.identify(text)


async def test_a_key_in_use_is_looked_up_beside_its_requests(tmp_path):
    vault = await new_vault(tmp_path / "vault")
    kept, text = await vault.api_keys.create("one", scopes=("chat",))
    slow = Counted(vault.api_keys)
    keys = VaultKeys(slow, time.time)
    await keys.identify(Claim(text))
    longest = 0.0
    until = time.monotonic() + 2.5
    while time.monotonic() < until:
        began = time.perf_counter()
        await keys.identify(Claim(text))
        longest = max(longest, time.perf_counter() - began)
        await asyncio.sleep(0.02)
    assert longest < 0.09 and 4 <= slow.asked <= 6
    await vault.api_keys.revoke(kept.id)
    revoked_at = time.monotonic()
    with pytest.raises(KeyRefusedError):
        while time.monotonic() < revoked_at + 1.3:
            await keys.identify(Claim(text))
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.15)
    await vault.close()


async def test_what_was_read_before_a_change_is_not_remembered_after_it(tmp_path):
    vault = await new_vault(tmp_path / "vault")
    kept, text = await vault.api_keys.create("one", scopes=("chat",))
    keys = VaultKeys(Counted(vault.api_keys), time.time)
    await keys.identify(Claim(text))
    await asyncio.sleep(0.6)
    await keys.identify(Claim(text))  # a look begins beside it
    await vault.api_keys.revoke(kept.id)
    keys.forget()
    with pytest.raises(KeyRefusedError):
        await keys.identify(Claim(text))
    await vault.close()
