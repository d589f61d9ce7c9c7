"""`playground posts` on a real vault."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from app.vault.posts.records import Post

from .vaults import in_vault

SEA = Post(
    id="aaaa1111" + "0" * 24, title="The sea", slug="sea", body="# Sea\n\nWide.", tags=("water",), updated_at=2.0
)
FOG = Post(id="bbbb2222" + "0" * 24, title="Fog", body="Grey.", updated_at=1_700_000_000.0)


@pytest.fixture
def kept(environ):
    async def save(vault):
        for post in (SEA, FOG):
            await vault.posts.save(post)
        await vault.posts.revise(SEA.id, "opened")

    in_vault(environ, save)


def titles(result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [line["title"] for line in json.loads(result.stdout)]


def test_the_list_shows_the_latest_first(run_cli, kept):
    lines = run_cli("posts", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["Id", FOG.id[:8], SEA.id[:8]]
    assert titles(run_cli("posts", "list", "--json")) == ["Fog", "The sea"]
    assert titles(run_cli("posts", "list", "wide", "--json")) == ["The sea"]
    assert run_cli("posts", "list", "nothing").stdout == "No post has these words.\n"


def test_posts_are_found_by_their_words(run_cli, kept):
    found = run_cli("posts", "search", "wid").stdout.splitlines()
    assert found[0].split()[:3] == [SEA.id[:8], "The", "sea"]
    assert found[1].strip() == "# Sea Wide."
    assert run_cli("posts", "search", "WATER").stdout.splitlines()[0].startswith(SEA.id[:8])
    (hit,) = json.loads(run_cli("posts", "search", "wide", "--json").stdout)
    assert (hit["line"]["id"], hit["excerpt"][slice(*hit["marks"][0])]) == (SEA.id, "Wide")
    nothing = run_cli("posts", "search", "nothing", "here")
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert "No post has 'nothing here'" in nothing.stderr


def test_nothing_is_made_only_to_say_that_there_is_nothing(run_cli, environ):
    assert "No posts yet" in run_cli("posts", "list").stdout
    assert run_cli("posts", "list", "--json").stdout == "[]\n"
    assert not (Path(environ["PLAYGROUND_HOME"]) / "data/vault.key").exists()


def test_a_post_is_shown_with_its_front_matter(run_cli, kept):
    shown = run_cli("posts", "show", "sea").stdout
    assert shown == "---\ntitle: The sea\nslug: sea\ntags:\n- water\ndraft: true\n---\n\n# Sea\n\nWide.\n"
    assert json.loads(run_cli("posts", "show", "sea", "--json").stdout)["body"] == SEA.body


def test_a_post_that_is_not_there_is_one_line(run_cli, kept):
    result = run_cli("posts", "show", "the moon")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1 and "'the moon'" in result.stderr


def test_revisions(run_cli, kept):
    (line,) = json.loads(run_cli("posts", "revisions", "sea", "--json").stdout)
    assert line["reason"] == "opened"
    assert run_cli("posts", "revisions", "sea", str(line["number"])).stdout == SEA.body
    assert "opened" in run_cli("posts", "revisions", "sea").stdout
    assert run_cli("posts", "revisions", "Fog").stdout == "It has no revisions yet.\n"
    assert run_cli("posts", "revisions", "sea", "999").exit_code == 1


def test_exporting_and_publishing(run_cli, kept, tmp_path):
    assert run_cli("posts", "export", "sea", "-f", "html").stdout.startswith("<!doctype html>")
    result = run_cli("posts", "export", "sea", "-f", "jekyll", "-o", str(tmp_path))
    assert (tmp_path / "_drafts/sea.md").read_text().startswith("---\ntitle: The sea\n")
    assert "not encrypted" in result.stderr
    result = run_cli("posts", "publish", "sea", str(tmp_path / "site"))
    page = tmp_path / "site/content/posts/sea/index.md"
    assert "draft: false" in page.read_text() and str(page) in result.stderr
    assert json.loads(run_cli("posts", "show", "sea", "--json").stdout)["status"] == "published"
    page.write_text("mine")
    result = run_cli("posts", "publish", "sea", str(tmp_path / "site"))
    assert result.exit_code == 1 and page.read_text() == "mine" and "Give --force" in result.stderr
    assert run_cli("posts", "publish", "sea", str(tmp_path / "site"), "--force").exit_code == 0


def test_a_published_post_keeps_its_address(run_cli, environ, kept, tmp_path):
    site = tmp_path / "site"
    assert run_cli("posts", "publish", "fog", str(site)).exit_code == 0
    assert json.loads(run_cli("posts", "show", FOG.id, "--json").stdout)["slug"] == "fog"

    async def rename(vault):
        await vault.posts.save(msgspec.structs.replace(await vault.posts.get(FOG.id), title="Fog and rain"))

    in_vault(environ, rename)
    result = run_cli("posts", "publish", "fog", str(site), "--force")
    assert result.exit_code == 0, result.stderr
    assert [path.name for path in (site / "content/posts").iterdir()] == ["fog"]
    assert "title: Fog and rain\nslug: fog\n" in (site / "content/posts/fog/index.md").read_text()


def test_all_are_exported(run_cli, environ, kept, tmp_path):
    twin = Post(id="cccc3333" + "0" * 24, title="Sea", body="Another.", created_at=3.0)

    async def save(vault):
        await vault.posts.save(twin)
        await vault.posts.delete(FOG.id)
        await vault.posts.save(msgspec.structs.replace(FOG, id="dddd4444" + "0" * 24))

    in_vault(environ, save)
    result = run_cli("posts", "export", "--all", str(tmp_path / "all"))
    assert result.exit_code == 0, result.stderr
    assert "3 posts exported" in result.stderr and "not encrypted" in result.stderr
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == ["fog.md", "sea-cccc3333.md", "sea.md"]
    assert "Wide." in (tmp_path / "all/sea.md").read_text()
    assert run_cli("posts", "export", "--all", str(tmp_path / "all")).exit_code == 0  # they are the same
    (tmp_path / "all/fog.md").write_text("mine")
    (tmp_path / "all/sea.md").unlink()
    result = run_cli("posts", "export", "--all", str(tmp_path / "all"))
    assert result.exit_code == 1 and "fog.md" in result.stderr and "Give --force" in result.stderr
    assert not (tmp_path / "all/sea.md").exists() and (tmp_path / "all/fog.md").read_text() == "mine"
    assert run_cli("posts", "export", "--all", str(tmp_path / "all"), "--force").exit_code == 0
    assert run_cli("posts", "export", "--all", str(tmp_path / "site"), "-f", "hugo").exit_code == 0
    assert (tmp_path / "site/content/posts/sea-cccc3333/index.md").is_file()
    assert run_cli("posts", "export").exit_code == 2
    assert run_cli("posts", "export", "sea", "--all", str(tmp_path)).exit_code == 2


def test_the_bin(run_cli, kept):
    assert run_cli("posts", "delete", "sea", "Fog").exit_code == 0
    assert titles(run_cli("posts", "list", "--json")) == []
    assert run_cli("posts", "restore", "The sea").stdout == "“The sea” is back.\n"
    assert run_cli("posts", "restore", "The sea").exit_code == 1
    assert run_cli("posts", "delete", "--forever", "--yes", "fog").exit_code == 0
    assert titles(run_cli("posts", "list", "--bin", "--json")) == []
    assert titles(run_cli("posts", "list", "--json")) == ["The sea"]


def test_markdown_files_are_taken_in(run_cli, environ, tmp_path):
    (tmp_path / "a.md").write_text("+++\ntitle = 'From Hugo'\ntags = ['x']\n+++\nBody.")
    (tmp_path / "b.md").write_text("# From a heading\n\nBody.")
    (tmp_path / "c.md").write_text("Body alone.")
    (tmp_path / "d.md").write_bytes(b"\xff\xfe")
    (tmp_path / "e.md").write_text("---\n[\n---\n")
    files = [str(tmp_path / name) for name in ("a.md", "b.md", "c.md", "d.md", "e.md", "missing.md")]
    result = run_cli("posts", "import", *files)
    assert result.exit_code == 1
    assert [name in result.stderr for name in ("d.md", "e.md", "missing.md")] == [True] * 3
    assert "3 files not taken in" in result.stderr
    assert set(titles(run_cli("posts", "list", "--json"))) == {"From Hugo", "From a heading", "c"}
