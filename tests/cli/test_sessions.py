"""`playground sessions` on a real vault."""

import json
import os

import pytest

from app.cli.tables import cells

from .vaults import conversation, in_vault, keep

RED, SEA = "aaaa1111" + "0" * 24, "bbbb2222" + "0" * 24


@pytest.fixture
def kept(environ):
    keep(
        environ,
        conversation(RED, "Three colours", "Name three colours.", "Red, green, blue.", at=1_700_000_000),
        conversation(SEA, "The sea", "Tell me of the sea.", "It is wide.", at=1_700_100_000, tags=("travel",)),
    )


def titles(result):
    return [row["title"] for row in json.loads(result.stdout)]


# Looking


def test_the_list_shows_the_latest_first(run_cli, kept):
    result = run_cli("sessions", "list")
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert [line.split()[0] for line in lines] == ["Id", SEA[:8], RED[:8]]
    assert "The sea" in lines[1]
    assert "travel" in lines[1]


def test_the_list_for_programs_holds_everything(run_cli, kept):
    (sea, red) = json.loads(run_cli("sessions", "list", "--json").stdout)
    assert (sea["id"], sea["title"], sea["messages"], sea["tags"]) == (SEA, "The sea", 2, ["travel"])
    assert red["updated_at"] == 1_700_000_000


def test_a_limit_says_how_many_there_are(run_cli, kept):
    result = run_cli("sessions", "list", "--limit", "1")
    assert len(result.stdout.splitlines()) == 2
    assert result.stderr == "1 more; --limit 2 shows all.\n"


def test_titles_of_every_script_keep_the_columns_straight(run_cli, environ):
    for number, title in enumerate(("日本語の題" * 20, "e\u0301" * 100, "\u202etitle\x1b[2J", "a\nb", "")):
        keep(environ, conversation(f"{number}" * 32, title, "Hi.", "Yes."))
    head, *lines = run_cli("sessions", "list").stdout.splitlines()
    assert len(lines) == 5
    assert {cells(line[: line.index("2023-11-1")]) for line in lines} == {head.index("Changed")}
    assert any("untitled" in line for line in lines)


def test_tags_choose(run_cli, kept):
    assert titles(run_cli("sessions", "list", "--tag", "travel", "--json")) == ["The sea"]
    assert "Tags in use: travel" in run_cli("sessions", "list", "--tag", "nothing").stdout


@pytest.mark.parametrize("which", [SEA, "bbbb", "The sea", "the sea", "sea"])
def test_a_session_is_found_by_id_beginning_and_title(run_cli, kept, which):
    result = run_cli("sessions", "show", which)
    assert result.exit_code == 0
    assert result.stdout.startswith("# The sea\n")
    assert "It is wide." in result.stdout


def test_two_that_fit_are_both_named(run_cli, kept):
    result = run_cli("sessions", "show", "e")
    assert result.exit_code == 1
    assert RED[:8] in result.stderr
    assert SEA[:8] in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_search_finds_messages_and_titles(run_cli, kept):
    result = run_cli("sessions", "search", "colours")
    assert "Three colours" in result.stdout
    assert "Name three colours." in result.stdout
    found = json.loads(run_cli("sessions", "search", "wid", "--json").stdout)
    assert [hit["session_id"] for hit in found["messages"]] == [SEA]
    assert found["sessions"] == []
    assert "Nothing that is kept holds 'zebra'." in run_cli("sessions", "search", "zebra").stderr


def test_without_a_vault_there_is_nothing_and_none_is_made(run_cli, home):
    assert "No conversations yet" in run_cli("sessions", "list").stdout
    assert run_cli("sessions", "list", "--bin", "--json").stdout == "[]\n"
    assert json.loads(run_cli("sessions", "search", "x", "--json").stdout) == {"sessions": [], "messages": []}
    result = run_cli("sessions", "show", "x")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "There is no vault yet" in result.stderr
    assert not (home / "data" / "vault.db").exists()


# Changing


def test_a_new_title_is_the_persons(run_cli, environ, kept):
    result = run_cli("sessions", "rename", "sea", "A", " wide\n", "sea\x1b")
    assert result.stdout == "Its title is now “A wide sea␛”.\n"
    session = in_vault(environ, lambda vault: vault.sessions.get(SEA))
    assert (session.title, session.titled_by) == ("A wide sea\x1b", "person")


def test_tags_are_added_and_taken_off(run_cli, kept):
    assert run_cli("sessions", "tag", "sea", "blue", "blue", " ").stdout == "Tags: blue, travel\n"
    assert run_cli("sessions", "tag", "sea", "-r", "travel").stdout == "Tags: blue\n"
    assert run_cli("sessions", "tag", "sea").stdout == "Tags: blue\n"
    assert run_cli("sessions", "tag", "colours").stdout == "It has no tags.\n"


def test_pinned_ones_come_first(run_cli, kept):
    run_cli("sessions", "pin", "colours")
    assert titles(run_cli("sessions", "list", "--json")) == ["Three colours", "The sea"]
    run_cli("sessions", "pin", "--off", "colours")
    assert titles(run_cli("sessions", "list", "--json")) == ["The sea", "Three colours"]


def test_archiving_and_back(run_cli, kept):
    run_cli("sessions", "archive", "sea")
    assert titles(run_cli("sessions", "list", "--json")) == ["Three colours"]
    assert titles(run_cli("sessions", "list", "--archived", "--json")) == ["The sea"]
    run_cli("sessions", "archive", "--off", "sea")
    assert len(titles(run_cli("sessions", "list", "--json"))) == 2


def test_deleting_can_be_undone(run_cli, kept):
    assert run_cli("sessions", "delete", "sea", "colours").exit_code == 0
    assert titles(run_cli("sessions", "list", "--json")) == []
    assert len(titles(run_cli("sessions", "list", "--bin", "--json"))) == 2
    assert run_cli("sessions", "show", "sea").exit_code == 1
    assert run_cli("sessions", "restore", "sea").exit_code == 0
    assert titles(run_cli("sessions", "list", "--json")) == ["The sea"]


def test_deleting_for_good_needs_a_yes(run_cli, kept):
    assert run_cli("sessions", "delete", "--forever", "sea").exit_code == 2
    assert len(titles(run_cli("sessions", "list", "--json"))) == 2
    run_cli("sessions", "delete", "sea")
    assert run_cli("sessions", "delete", "--forever", "--yes", "sea", "colours").exit_code == 0
    assert titles(run_cli("sessions", "list", "--json")) == titles(run_cli("sessions", "list", "--bin", "--json")) == []


def test_nothing_is_done_when_one_of_several_is_unknown(run_cli, kept):
    for command in ("delete", "archive", "pin", "restore"):
        result = run_cli("sessions", command, "sea", "nobody")
        assert result.exit_code == 1
        assert "There is no session" in result.stderr
    rows = json.loads(run_cli("sessions", "list", "--json").stdout)
    assert len(rows) == 2
    assert not any(row["pinned"] for row in rows)


@pytest.mark.parametrize("which", ["", " ", "%", "'; DROP TABLE sessions", "\udcff", "x" * 10_000, "*", '"'])
@pytest.mark.parametrize("command", ["show", "pin", "delete", "restore", "export", "tag"])
def test_odd_words_for_a_session_are_one_line(run_cli, kept, which, command):
    result = run_cli("sessions", command, which)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.output
    assert len(titles(run_cli("sessions", "list", "--json"))) == 2


@pytest.mark.parametrize(
    "args",
    [
        ("list", "--limit", "0"),
        ("list", "--archived", "--bin"),
        ("search",),
        ("rename", "sea"),
        ("rename", "sea", " "),
        ("export",),
        ("export", "sea", "--all", "x"),
        ("export", "--all", "x", "-o", "y"),
        ("export", "sea", "--format", "pdf"),
        ("import",),
        ("delete",),
        ("frobnicate",),
    ],
)
def test_mistakes_in_usage(run_cli, kept, args):
    assert run_cli("sessions", *args).exit_code == 2


# Files


def test_exports_go_to_standard_output(run_cli, kept):
    assert run_cli("sessions", "export", "sea").stdout.startswith("# The sea\n")
    assert run_cli("sessions", "export", "sea", "-f", "html").stdout.startswith("<!DOCTYPE html>")
    assert json.loads(run_cli("sessions", "export", "sea", "-f", "json").stdout)["session"]["id"] == SEA


def test_the_suffix_of_the_file_chooses_the_form(run_cli, kept, tmp_path):
    for name, beginning in (("a.md", "# The sea"), ("a.html", "<!DOCTYPE"), ("a.json", "{"), ("a.txt", "# The sea")):
        assert run_cli("sessions", "export", "sea", "-o", str(tmp_path / name)).exit_code == 0
        assert (tmp_path / name).read_text().startswith(beginning)
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_file_is_not_replaced_without_force(run_cli, kept, tmp_path):
    file = tmp_path / "sea.md"
    file.write_text("mine")
    result = run_cli("sessions", "export", "sea", "-o", str(file))
    assert (result.exit_code, file.read_text()) == (1, "mine")
    assert "--force" in result.stderr
    assert run_cli("sessions", "export", "sea", "-o", str(file), "--force").exit_code == 0
    assert "# The sea" in file.read_text()


def test_all_go_into_a_folder_under_names_of_their_own(run_cli, environ, kept, tmp_path):
    keep(environ, conversation("cccc3333" + "0" * 24, "the SEA", "Again.", "Wide."))
    run_cli("sessions", "archive", "colours")
    out = tmp_path / "new" / "folder"
    result = run_cli("sessions", "export", "--all", str(out), "--format", "json")
    assert result.exit_code == 0, result.stderr
    assert len({path.name.casefold() for path in out.iterdir()}) == 3
    assert {json.loads(path.read_text())["session"]["title"] for path in out.iterdir()} == {
        "The sea",
        "the SEA",
        "Three colours",
    }
    (next(out.iterdir())).write_text("mine")
    assert run_cli("sessions", "export", "--all", str(out), "--format", "json").exit_code == 1
    assert "mine" in {path.read_text() for path in out.iterdir()}
    assert run_cli("sessions", "export", "--all", str(out), "--format", "json", "--force").exit_code == 0
    assert len(list(out.iterdir())) == 3


@pytest.mark.parametrize("place", ["/dev/full", "no/such/folder/x.md", "/proc/x.md", "x" * 5000, "\udcff/x"])
def test_a_place_that_takes_nothing_is_one_line(run_cli, kept, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run_cli("sessions", "export", "sea", "-o", place)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert ("no room" in result.stderr) == (place == "/dev/full")


@pytest.mark.parametrize("folder", ["/dev/full", "/dev/full/x", "/proc/x", "x" * 5000])
def test_a_folder_that_takes_nothing_is_one_line(run_cli, kept, folder):
    result = run_cli("sessions", "export", "--all", folder)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)


def test_what_was_exported_comes_back_as_it_was(run_cli, environ, kept, tmp_path):
    out = tmp_path / "out"
    run_cli("sessions", "export", "--all", str(out), "-f", "json")
    before = [in_vault(environ, lambda vault, one=one: vault.sessions.load(one)) for one in (RED, SEA)]
    run_cli("sessions", "delete", "--forever", "--yes", "sea", "colours")
    result = run_cli("sessions", "import", *map(str, sorted(out.iterdir())))
    assert result.stdout == "2 conversations taken in.\n", result.stderr
    after = [in_vault(environ, lambda vault, one=one: vault.sessions.load(one)) for one in (RED, SEA)]
    assert after == before


def test_an_import_makes_the_vault_and_is_taken_once(run_cli, home, tmp_path):
    chatgpt = [
        {
            "id": "c1",
            "title": "Imported",
            "create_time": 1_700_000_000,
            "current_node": "b",
            "mapping": {
                "a": {
                    "id": "a",
                    "parent": None,
                    "children": ["b"],
                    "message": {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["Hi"]}},
                },
                "b": {
                    "id": "b",
                    "parent": "a",
                    "children": [],
                    "message": {"author": {"role": "assistant"}, "content": {"content_type": "text", "parts": ["Yes"]}},
                },
            },
        }
    ]
    file = tmp_path / "conversations.json"
    file.write_text(json.dumps(chatgpt))
    assert run_cli("sessions", "import", str(file)).stdout == "1 conversation taken in.\n"
    assert "1 here already" in run_cli("sessions", "import", str(file)).stdout
    run_cli("sessions", "delete", "Imported")
    found = json.loads(run_cli("sessions", "import", "-", "--json", piped=file.read_bytes()).stdout)
    assert (len(found["imported"]), found["present"]) == (1, 0)
    assert json.loads(run_cli("sessions", "import", "--again", "--json", str(file)).stdout)["present"] == 0
    assert titles(run_cli("sessions", "list", "--json")) == ["Imported", "Imported"]


def test_a_file_that_is_no_export_does_not_stop_the_others(run_cli, environ, kept, tmp_path):
    good, bad = tmp_path / "good.json", tmp_path / "bad\x1b.json"
    run_cli("sessions", "export", "sea", "-o", str(good))
    run_cli("sessions", "delete", "--forever", "--yes", "sea")
    bad.write_bytes(os.urandom(200))
    result = run_cli("sessions", "import", str(bad), str(tmp_path / "gone.json"), str(good))
    assert result.exit_code == 1
    assert "bad␛.json" in result.stderr
    assert "gone.json cannot be read" in result.stderr
    assert "1 conversation taken in" in result.stdout


def test_nothing_readable_makes_no_vault(run_cli, home, tmp_path):
    assert run_cli("sessions", "import", str(tmp_path / "gone")).exit_code == 1
    assert not (home / "data" / "vault.db").exists()


def test_a_locked_vault_is_one_line(run_cli, environ, kept):
    in_vault(environ, lambda vault: vault.set_passphrase("correct horse"))
    for command in (("list",), ("show", "sea"), ("search", "sea"), ("export", "sea"), ("delete", "sea")):
        result = run_cli("sessions", *command)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("playground: The vault is locked.")
    environ["PLAYGROUND_PASSPHRASE"] = "wrong one"
    assert "PLAYGROUND_PASSPHRASE does not open the vault." in run_cli("sessions", "list").stderr
    environ["PLAYGROUND_PASSPHRASE"] = "correct horse"
    assert len(titles(run_cli("sessions", "list", "--json"))) == 2


def test_a_number_larger_than_any_is_told_and_no_fault(run_cli, kept):
    result = run_cli("sessions", "list", "--limit", "9" * 20)
    assert result.exit_code == 1
    assert "A number is larger than the vault can hold." in result.stderr
