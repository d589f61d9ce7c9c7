"""Posts are kept as they were written, found by what a person would call them, and can go back to how they were."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import UnknownPostError, VaultLockedError
from app.vault import Vault, migrations
from app.vault.posts.posts import MOST_REVISIONS, new_post
from app.vault.posts.records import Post
from tests.vault.conftest import vault_at


def changed(post: Post, **values: object) -> Post:
    return msgspec.structs.replace(post, **values)


async def test_a_post_comes_back_as_it_was_saved(vault: Vault):
    post = new_post(
        title="On lighthouses", slug="lighthouses", tags=("sea", "light"), body="# Why\n\nBecause.", date=5.0
    )
    await vault.posts.save(post)
    assert await vault.posts.get(post.id) == post
    newer = changed(post, body="Better.", status="published", updated_at=post.updated_at + 1)
    await vault.posts.save(newer)
    assert await vault.posts.get(post.id) == newer
    assert await vault.posts.count() == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(title=st.text(max_size=50), body=st.text(max_size=300), tags=st.lists(st.text(max_size=9), max_size=3))
async def test_any_text_can_be_kept(vault: Vault, title: str, body: str, tags: list[str]):
    post = new_post(title=title, body=body, tags=tuple(tags))
    await vault.posts.save(post)
    assert await vault.posts.get(post.id) == post  # st.text() has no half characters


async def test_half_a_character_is_made_whole(vault: Vault):
    post = new_post(body="broken \udc80 here")
    await vault.posts.save(post)
    assert (await vault.posts.get(post.id)).body == "broken \ufffd here"


async def test_a_post_is_found_by_id_slug_or_title_and_never_guessed(vault: Vault):
    first, second = (new_post(title=title, slug=title.lower()) for title in ("Sea", "Storm"))
    for post in (first, second):
        await vault.posts.save(post)
    for words in (first.id, first.id[:9], "sea", "SEA"):
        assert await vault.posts.find(words) == first
    with pytest.raises(UnknownPostError, match="no post"):
        await vault.posts.find("nothing of the kind")
    with pytest.raises(UnknownPostError):
        await vault.posts.find("")
    await vault.posts.save(new_post(title="Sea"))
    with pytest.raises(UnknownPostError, match="several"):
        await vault.posts.find("sea")


async def test_a_post_without_a_slug_is_found_by_the_one_that_its_title_makes(vault: Vault):
    post, other = new_post(title="Light houses!"), new_post(title="Light houses", slug="towers")
    for one in (post, other, new_post()):
        await vault.posts.save(one)
    assert await vault.posts.find("light-houses") == post
    assert await vault.posts.find("Light houses") == other
    with pytest.raises(UnknownPostError):
        await vault.posts.find("post")  # what an empty title makes
    await vault.posts.save(new_post(title="Light, houses"))
    with pytest.raises(UnknownPostError, match="several"):
        await vault.posts.find("light-houses")
    await vault.posts.save(new_post(title="Towers", slug="light-houses"))
    assert (await vault.posts.find("light-houses")).title == "Towers"


async def test_the_list_has_the_latest_first_and_is_searched_word_by_word(vault: Vault):
    for number, title in enumerate(("Sea", "Storm", "Harbour")):
        await vault.posts.save(changed(new_post(title=title, body="Light " * number), updated_at=float(number)))
    assert [line.title for line in await vault.posts.lines()] == ["Harbour", "Storm", "Sea"]
    assert [line.title for line in await vault.posts.lines(1, 1)] == ["Storm"]
    assert [line.title for line in await vault.posts.lines(words="light har")] == ["Harbour"]
    assert await vault.posts.count(words="light") == 2
    assert (await vault.posts.lines())[0].characters == 12


async def test_words_are_found_wherever_they_are_with_what_stands_around_them(vault: Vault):
    sea = new_post(title="Sea", tags=("café", "water"), body="One two three.\n\nThe Harbour lay empty.")
    await vault.posts.save(changed(sea, updated_at=2.0))
    await vault.posts.save(changed(new_post(title="Bread", body="Time does the work."), updated_at=1.0))
    (hit,) = await vault.posts.search("harb lay")
    assert (hit.line.title, [hit.excerpt[start:end] for start, end in hit.marks]) == ("Sea", ["Harbour", "lay"])
    assert "\n" not in hit.excerpt
    (hit,) = await vault.posts.search("CAFE")
    assert (hit.line.title, hit.excerpt, hit.marks) == ("Sea", "", ())
    assert [hit.line.title for hit in await vault.posts.search("t")] == ["Sea", "Bread"]
    for nothing in ("", "*", "harbour nothing", '"', "title:sea NOT"):
        assert await vault.posts.search(nothing) == ()
    assert await vault.posts.lines(words="!") == () and await vault.posts.count(words="!") == 0


async def test_what_was_changed_is_found_by_its_new_words_alone(vault: Vault):
    post = new_post(title="Sea", body="gulls")
    await vault.posts.save(post)
    await vault.posts.save(changed(post, body="boats"))
    assert await vault.posts.search("gulls") == ()
    assert len(await vault.posts.search("boats")) == 1
    await vault.posts.delete(post.id)
    assert await vault.posts.search("boats") == ()
    assert [hit.line.deleted for hit in await vault.posts.search("boats", shelf="bin")] == [True]
    await vault.posts.purge(post.id)
    assert await vault.posts.search("boats", shelf="bin") == ()
    check = "INSERT INTO posts_fts (posts_fts, rank) VALUES ('integrity-check', 1)"
    await vault.database.write(lambda connection: connection.execute(check) and None)


async def test_posts_of_an_older_vault_are_found_too(tmp_path):
    vault = vault_at(tmp_path)
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(migrations, "NAMES", migrations.NAMES[:4])
        earlier.setattr(migrations, "VERSION", 4)
        await vault.open()
        await vault.posts.save(new_post(title="Sea", body="gulls"))
        await vault.close()
    await vault.open()
    assert [hit.line.title for hit in await vault.posts.search("gull")] == ["Sea"]
    await vault.close()


async def test_the_bin_gives_back_what_was_put_there(vault: Vault):
    post = new_post(title="Sea")
    await vault.posts.save(post)
    await vault.posts.delete(post.id)
    assert await vault.posts.count() == 0
    assert [line.deleted for line in await vault.posts.lines(shelf="bin")] == [True]
    with pytest.raises(UnknownPostError):
        await vault.posts.find("Sea")
    await vault.posts.restore(post.id)
    assert await vault.posts.get(post.id) == post
    await vault.posts.revise(post.id, "opened")
    await vault.posts.purge(post.id)
    assert await vault.posts.revisions(post.id) == ()
    for missing in (vault.posts.get, vault.posts.delete, vault.posts.restore):
        with pytest.raises(UnknownPostError):
            await missing(post.id)


async def test_revisions_are_kept_when_something_changed_and_the_oldest_go_first(vault: Vault):
    post = new_post(title="Sea", body="0")
    await vault.posts.save(post)
    first = await vault.posts.revise(post.id, "opened")
    assert first is not None and await vault.posts.revise(post.id, "opened") is None
    for number in range(MOST_REVISIONS + 4):
        await vault.posts.save(changed(post, body=f"version {number}"))
        await vault.posts.revise(post.id, "assist")
    lines = await vault.posts.revisions(post.id)
    assert len(lines) == MOST_REVISIONS
    assert lines[0].number > lines[1].number
    newest = await vault.posts.revision(post.id, lines[0].number)
    assert (newest.body, newest.reason) == (f"version {MOST_REVISIONS + 3}", "assist")
    with pytest.raises(UnknownPostError, match="no revision"):
        await vault.posts.revision(post.id, first.number)


async def test_a_locked_vault_gives_nothing_away(vault: Vault):
    await vault.lock()
    with pytest.raises(VaultLockedError):
        await vault.posts.lines()
