"""Users and their sign-ins in the vault."""

from __future__ import annotations

import pytest

from app.errors import InvalidRequestError, UnknownUserError
from app.vault.access.passwords import checked, fits, hashed

KEPT = hashed("größer als vorher")


def test_a_password_is_kept_as_argon2id_and_fits_however_its_accents_were_typed():
    assert KEPT.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert fits("größer als vorher", KEPT)
    assert not fits("grosser als vorher", KEPT) and not fits("", KEPT)
    for wrong in ("short", "x" * 1025):
        with pytest.raises(InvalidRequestError) as caught:
            checked(wrong)
        assert wrong not in str(caught.value)


async def test_names_are_taken_once_and_look_like_names(vault):
    await vault.users.add("anna", KEPT, "admin")
    for name in ("anna", "", "Anna", "a b", "a/b", "-a", "x" * 65):
        with pytest.raises(InvalidRequestError):
            await vault.users.add(name, KEPT)
    assert [(user.name, user.role) for user in await vault.users.list()] == [("anna", "admin")]


async def test_a_sign_in_is_renewed_by_each_token_once(vault):
    await vault.users.add("anna", KEPT)
    first = await vault.users.sign_in("anna", 60)
    second = await vault.users.renew(first.refresh_token)
    assert second is not None and second.id == first.id
    assert first.refresh_token not in repr(first)
    assert (await vault.users.signed_in(first.id)).name == "anna"
    assert await vault.users.renew(first.refresh_token) is None  # used twice: the sign-in ends
    assert await vault.users.renew(second.refresh_token) is None
    assert await vault.users.signed_in(first.id) is None
    assert await vault.users.renew("pgr-" + "0" * 43) is None


async def test_disabling_or_another_password_ends_every_sign_in(vault):
    await vault.users.add("anna", KEPT)
    for end in (vault.users.disable("anna"), vault.users.set_password("anna", KEPT)):
        await vault.users.enable("anna")
        signed = await vault.users.sign_in("anna", 60)
        await end
        assert await vault.users.signed_in(signed.id) is None
        assert await vault.users.renew(signed.refresh_token) is None
    await vault.users.disable("anna")
    assert await vault.users.password_of("anna") is None
    with pytest.raises(UnknownUserError):
        await vault.users.sign_in("anna", 60)
    with pytest.raises(UnknownUserError):
        await vault.users.disable("nobody")


async def test_a_sign_in_ends_by_itself(vault):
    await vault.users.add("anna", KEPT)
    signed = await vault.users.sign_in("anna", 0)
    assert await vault.users.signed_in(signed.id) is None
    assert await vault.users.renew(signed.refresh_token) is None
