"""API keys: shown once, kept as a hash, ended for good."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidRequestError, UnknownKeyError, VaultLockedError
from app.vault.access.api_keys import digest, looks_like_key, new_secret
from app.vault.access.limits import AccessLimits


def test_a_key_is_256_random_bits_in_letters_and_digits():
    made = {new_secret() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"pg-[0-9A-Za-z]{43}", text) and looks_like_key(text) for text in made)


@given(st.text())
def test_any_text_can_be_asked_about(text):
    assert len(digest(text)) == 32
    assert not looks_like_key(text) or text.startswith("pg-")


async def test_a_key_is_found_by_its_text_and_the_text_is_nowhere_in_the_vault(vault):
    limits = AccessLimits(requests_per_minute=3, tokens_per_month=5)
    key, text = await vault.api_keys.create("  my   editor ", ["admin", "chat"], expires_at=5e9, limits=limits)
    assert (key.name, key.scopes, key.limits) == ("my editor", ("chat", "admin"), limits)
    assert await vault.api_keys.identify(text) == key
    assert await vault.api_keys.identify(text + "x") is None
    assert text not in repr(await vault.api_keys.list())
    rows = await vault.database.read(lambda c: c.execute("SELECT * FROM api_keys").fetchall())
    assert text not in repr(rows) and text[3:] not in repr(rows)


async def test_a_revoked_key_stays_in_the_list_and_its_name_is_free_again(vault):
    key, text = await vault.api_keys.create("editor")
    with pytest.raises(InvalidRequestError, match="'editor' already"):
        await vault.api_keys.create("editor")
    await vault.api_keys.revoke(key.id)
    again, _ = await vault.api_keys.create("editor")
    assert not (await vault.api_keys.identify(text)).valid_at(1e9)
    assert (await vault.api_keys.find("editor")).id == again.id
    assert [one.id for one in await vault.api_keys.list()] == [again.id, key.id]


async def test_what_cannot_be_is_refused(vault):
    for name in ("", " ", "a\x00b", "x" * 101):
        with pytest.raises(InvalidRequestError):
            await vault.api_keys.create(name)
    with pytest.raises(InvalidRequestError, match="no scope"):
        await vault.api_keys.create("a", [])
    for ask in (vault.api_keys.find("nobody"), vault.api_keys.revoke("nobody")):
        with pytest.raises(UnknownKeyError):
            await ask
    await vault.lock()
    with pytest.raises(VaultLockedError):
        await vault.api_keys.list()


async def test_the_last_use_never_goes_back(vault):
    key, _ = await vault.api_keys.create("editor")
    await vault.api_keys.used({key.id: 50.0})
    await vault.api_keys.used({key.id: 40.0})
    assert (await vault.api_keys.find(key.id)).last_used_at == 50.0
