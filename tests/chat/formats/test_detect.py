"""Whose export it is, and what may come in a .zip."""

import io
import json
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.chat.formats import archive, own, read_export, reading
from app.errors import ImportFormatError

from .samples import EXPORTS, json_values, rich

CHATGPT = (EXPORTS / "chatgpt.json").read_bytes()
CLAUDE = (EXPORTS / "claude.json").read_bytes()


def zipped(files, **options):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, **options) as packed:
        for name, content in files:
            packed.writestr(name, content)
    return held.getvalue()


CHATGPT_ZIP = zipped(
    [("user.json", "{}"), ("chat.html", "<p>"), ("conversations.json", CHATGPT), ("file-a.png", b"\x89")]
)
CLAUDE_ZIP = zipped([("users.json", "[]"), ("projects.json", "[]"), ("conversations.json", CLAUDE)])


def titles(found):
    return [whole.session.title for whole in found.sessions]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (CHATGPT, ["Sourdough that does not rise", ""]),
        (b"\xef\xbb\xbf" + CHATGPT, ["Sourdough that does not rise", ""]),
        (CHATGPT_ZIP, ["Sourdough that does not rise", ""]),
        (CLAUDE, ["Metrics in Postgres", ""]),
        (CLAUDE_ZIP, ["Metrics in Postgres", ""]),
        (b'{"conversations": ' + CLAUDE + b"}", ["Metrics in Postgres", ""]),
        (json.dumps(json.loads(CLAUDE)[0]).encode(), ["Metrics in Postgres"]),
        (own.to_json(rich()).encode(), ["What is in the picture"]),
    ],
)
def test_each_export_is_known_by_what_it_holds(content, expected):
    assert titles(read_export(content, "download")) == expected


def test_an_export_in_pieces_is_read_whole():
    one, two, *rest = json.loads(CHATGPT)
    pieces = [("a/conversations-001.json", json.dumps([two, *rest])), ("a/conversations-000.json", json.dumps([one]))]
    assert read_export(zipped(pieces), "x.zip") == read_export(CHATGPT, "x.json")


def test_the_outermost_folder_is_taken():
    content = zipped(
        [
            ("old/deep/conversations.json", "[]"),
            ("export/conversations.json", CLAUDE),
            ("export/conversations-000.json", "!"),
        ]
    )
    assert titles(read_export(content, "x.zip")) == ["Metrics in Postgres", ""]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"{}", "no list of conversations"),
        (b"[]", "no conversations"),
        (b"[{}, 3]", "no service that is known"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" + b"9" * 5000 + b"]", "not JSON"),
        (zipped([]), "no conversations.json"),
        (zipped([("my_conversations.json", CLAUDE), ("conversations.json.exe", CLAUDE)]), "no conversations.json"),
        (zipped([("../conversations.json", CLAUDE), ("/conversations.json", CLAUDE)]), "no conversations.json"),
        (zipped([("a/../conversations.json", CLAUDE), ("C:/conversations.json", CLAUDE)]), "no conversations.json"),
        (CLAUDE_ZIP[:-30], "damaged"),
        (CLAUDE_ZIP[:200], "damaged"),
        (zipped([("conversations.json", "nothing")]), "not JSON"),
    ],
)
def test_anything_else_is_refused_with_its_name_and_reason(content, words):
    with pytest.raises(ImportFormatError, match=words) as refused:
        read_export(content, "my file")
    assert refused.value.message.startswith("my file: ")


def test_a_file_that_is_twice_in_the_archive_is_refused():
    with pytest.warns(UserWarning, match="Duplicate"):
        content = zipped([("conversations.json", CLAUDE), ("conversations.json", CHATGPT)])
    with pytest.raises(ImportFormatError, match="twice"):
        read_export(content, "x.zip")


def test_a_bomb_is_refused_before_it_is_unpacked():
    content = zipped([("conversations.json", b"[" + b" " * (64 * 1024 * 1024) + b"]")])
    assert len(content) < 100_000
    with pytest.raises(ImportFormatError, match="more than can be read"):
        read_export(content, "x.zip")


def test_one_that_lies_about_its_size_is_refused():
    content = zipped([("conversations.json", b"[" + b" " * 1_000_000 + b"]")])
    true_size = (1_000_002).to_bytes(4, "little")
    assert content.count(true_size) == 2  # at the file, and in the directory
    with pytest.raises(ImportFormatError):
        read_export(content.replace(true_size, (5).to_bytes(4, "little")), "x.zip")


def test_what_is_too_large_is_refused(monkeypatch):
    for module in (archive, reading):
        monkeypatch.setattr(module, "MAX_JSON_BYTES", 1000)
    for content in (CLAUDE, CLAUDE_ZIP, zipped([(f"conversations-{n}.json", b" " * 600) for n in range(3)])):
        with pytest.raises(ImportFormatError, match="can be read"):
            read_export(content, "x")


def test_an_encrypted_one_is_refused():
    flagged = bytearray(CLAUDE_ZIP)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = flagged.find(signature)
        while at >= 0:
            flagged[at + offset] |= 1
            at = flagged.find(signature, at + 4)
    with pytest.raises(ImportFormatError, match="encrypted"):
        read_export(bytes(flagged), "x.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(method):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as packed:
        packed.writestr("conversations.json", CLAUDE)
    with pytest.raises(ImportFormatError, match="not known"):
        read_export(held.getvalue(), "x.zip")


@settings(deadline=None)
@given(
    st.binary(max_size=300)
    | st.binary(max_size=200).map(lambda rest: b"PK\x03\x04" + rest)
    | json_values.map(lambda value: json.dumps(value).encode())
)
def test_garbage_is_refused(content):
    with pytest.raises(ImportFormatError):
        read_export(content, "x")


@settings(deadline=None)
@given(st.data())
def test_a_flipped_archive_gives_an_error_or_what_is_sound(data):
    content = bytearray(data.draw(st.sampled_from([CHATGPT_ZIP, CLAUDE_ZIP])))
    for _ in range(data.draw(st.integers(1, 4))):
        # The directory at the end is where the harm is done.
        back = data.draw(st.integers(1, 300) | st.integers(1, len(content)))
        content[-back] = data.draw(st.integers(0, 255))
    try:
        found = read_export(bytes(content), "x.zip")
    except ImportFormatError as error:
        assert error.message
    else:
        assert found.sessions
