"""Files that go with a prompt: what they become, what is refused, and how they are named in a text."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.chat import Conversation
from app.chat.attaching.decoding import decoded
from app.chat.attaching.files import MOST_PICTURE, MOST_TEXT, AttachmentError, attach, attach_all
from app.chat.attaching.mentions import begun, mentions, pasted_path, written
from app.chat.attaching.pictures import Picture, picture
from app.chat.attaching.private import is_private
from app.chat.attaching.sending import with_attached
from app.chat.context import messages_for
from app.chat.outgoing import Outgoing
from app.errors import NotSupportedError
from app.messages import Image, Message, Node, Text


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, held: bytes) -> bytes:
        return struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes((width + 7) // 8) for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0"
    + b"\xff\xc2\x00\x11\x08\x01\xe0\x02\x80\3\1\x22\0\2\x11\1\3\x11\1"
)
GIF = b"GIF89a" + struct.pack("<HH", 10, 20) + b"\0\0\0;"
WEBP = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f" + (99 | 49 << 14).to_bytes(4, "little") + bytes(8)


@pytest.mark.parametrize(
    ("held", "seen"),
    [
        (png(640, 480), Picture("image/png", 640, 480)),
        (JPEG, Picture("image/jpeg", 640, 480)),
        (GIF, Picture("image/gif", 10, 20)),
        (WEBP, Picture("image/webp", 100, 50)),
    ],
)
def test_a_picture_is_known_by_its_bytes_and_a_part_of_one_never_fails(held: bytes, seen: Picture) -> None:
    assert picture(held) == seen
    for length in range(len(held)):
        assert picture(held[:length]) in (seen, None)


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\xff\xd8\xff", b"GIF89a", b"RIFF0000WEBPVP8 ", b"\x89PNG\r\n\x1a\n"]),
)
def test_no_bytes_break_the_readers(held: bytes, beginning: bytes) -> None:
    picture(beginning + held)
    text = decoded(beginning + held)
    assert text is None or "\0" not in text


@given(
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_a_text_comes_out_of_its_encoding_as_it_was(text: str, encoding: str) -> None:
    assert decoded(text.encode(encoding)) in (text, text.removeprefix("\ufeff"))


def test_old_encodings_and_wide_ones_without_a_mark_are_read_and_what_is_no_text_is_not() -> None:
    assert decoded("Grüße – naïve".encode("cp1252")) == "Grüße – naïve"
    assert decoded("a line\r\nand one\r".encode("utf-16-le")) == "a line\nand one\n"
    assert decoded("a line".encode("utf-16-be")) == "a line"
    assert decoded(b"\x1b[31mcoloured\x1b[0m log") == "\x1b[31mcoloured\x1b[0m log"
    assert decoded(b"PK\x03\x04\0\0\0\0") is None
    assert decoded(os.urandom(4096)) is None


@given(
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), min_size=1)
    | st.text("`~\n ", min_size=1)
)
def test_nothing_in_a_file_ends_its_fence(text: str) -> None:
    from app.chat.formats.fences import fenced

    tokens = MarkdownIt("commonmark").parse(f"File: a\n\n{fenced(text, 'python')}\n\nThe question.")
    blocks = [token.type for token in tokens if token.level == 0]
    assert blocks == ["paragraph_open", "paragraph_close", "fence", "paragraph_open", "paragraph_close"]
    assert [token.content for token in tokens if token.type == "fence"] == [
        text if text.endswith("\n") else f"{text}\n"
    ]


def test_a_file_becomes_a_fenced_part_under_its_name_and_the_words_stay_words(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('x = "```"\n')
    (tmp_path / "b.png").write_bytes(png(300, 100))
    found = attach_all([(tmp_path / "a.py", "src/a.py"), (tmp_path / "b.png", "b.png")])
    message = with_attached("What is this?", found)
    assert message.text == "What is this?"
    assert [part.name for part in message.attached] == ["src/a.py", "b.png"]
    assert found[0].part == Text('File: src/a.py\n\n````python\nx = "```"\n````', "src/a.py")
    assert (found[1].pixels, found[1].tokens) == ((300, 100), 40)
    node = Node(id="1", parent_id=None, message=message)
    sent = messages_for([node])[0]
    assert [type(part) for part in sent.parts] == [Text, Image, Text]
    assert not sent.attached  # by then it is text and picture like any other
    blind = messages_for([node], sees=False)[0]
    assert (
        len(blind.parts) == 1 and "b.png, which you cannot see" in blind.text and blind.text.endswith("What is this?")
    )


def test_a_model_that_sees_none_is_never_asked_about_a_picture_and_goes_on_where_one_was_shown(tmp_path: Path) -> None:
    (tmp_path / "b.png").write_bytes(png(3, 3))
    conversation = Conversation()
    conversation.append(with_attached("Look", attach_all([(tmp_path / "b.png", "b.png")])))
    outgoing = Outgoing(conversation, "blind", sees=False)
    with pytest.raises(NotSupportedError, match="blind cannot see pictures, so nothing was sent"):
        outgoing.request(conversation.path())
    conversation.append(Message.assistant("I see."))
    conversation.append(Message.user("And now?"))
    assert not any(message.shows_images for message in outgoing.request(conversation.path()).messages)


def test_what_cannot_be_attached_says_why_and_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(b"\x7fELF\2\1\1\0\0\0")
    (tmp_path / "cut.png").write_bytes(png(3, 3)[:20])
    (tmp_path / "long.txt").write_bytes(b"a" * (MOST_TEXT + 1))
    (tmp_path / "huge.png").write_bytes(png(3, 3) + bytes(MOST_PICTURE))
    os.mkfifo(tmp_path / "pipe")
    for name, why in {
        "empty": "is empty",
        "binary": "neither a text nor a picture",
        "cut.png": "size cannot be read",
        "long.txt": "more than 1 MB",
        "huge.png": "a picture of more than 5 MB",
        "pipe": "a device or a pipe",
        "nothing": "cannot be read: No such file",
        "nul\0": "cannot be read",
    }.items():
        with pytest.raises(AttachmentError, match=why) as caught:
            attach(tmp_path / name, name)
        assert caught.value.message.startswith(name.replace("\0", "␀"))
    with pytest.raises(AttachmentError, match="is a folder"):
        attach(tmp_path)
    named = tmp_path / "a\x1b]52;c;x\x07\nb"
    named.write_text("x")
    assert "\x1b" not in attach(named).name and "\n" not in attach(named).name


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=30))
def test_every_path_can_be_written_as_a_mention(path: str) -> None:
    (found,) = mentions(f"Look at ({written(path)}) again")
    assert path in found.paths
    assert begun(f"Look at {written(path)[:-1]}") is not None


@given(st.text('@"\\ ab.\n(', max_size=30))
def test_mentions_never_overlap_and_stand_where_they_say(text: str) -> None:
    end = 0
    for found in mentions(text):
        assert end <= found.start < found.end and text[found.start] == "@" and all(found.paths)
        end = found.end


def test_an_address_is_no_mention_and_signs_of_the_sentence_may_be_left_out() -> None:
    assert mentions("me@example.org, @@x and a@b") == ()
    assert [found.paths for found in mentions('@a.md, (@b.py). @"c d.txt"!')] == [
        ("a.md,", "a.md"), ("b.py).", "b.py)", "b.py"), ("c d.txt",)
    ]  # fmt: skip
    assert begun("see @src/ma") == (4, "src/ma") and begun("@") == (0, "") and begun('@"a b') == (0, "a b")
    assert begun("me@home") is None and begun("@a done") is None


@pytest.mark.parametrize(
    ("pasted", "path"),
    [
        ("'/home/me/my picture.png'", "/home/me/my picture.png"),
        ("/home/me/my\\ picture.png ", "/home/me/my picture.png"),
        ("/home/me/my picture.png", "/home/me/my picture.png"),
        ("file:///home/me/my%20picture.png", "/home/me/my picture.png"),
        ("file://elsewhere/a.png", None),
        ("two words", None),
        ("a.png\nb.png", None),
    ],
)
def test_what_a_terminal_pastes_for_a_file_is_its_path(pasted: str, path: str | None) -> None:
    assert pasted_path(pasted) == path


@pytest.mark.parametrize("path", ["/h/.ssh/config", "/p/.env", "/p/.env.local", "/p/id_rsa", "/p/tls.PEM", "/h/.aws/x"])
def test_where_secrets_commonly_lie(path: str) -> None:
    assert is_private(Path(path))


@pytest.mark.parametrize("path", ["/p/.env.example", "/p/id_rsa.pub", "/p/keys.md", "/p/environment.py", "/p/a.env/b"])
def test_where_they_do_not(path: str) -> None:
    assert not is_private(Path(path))
