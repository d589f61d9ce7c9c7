"""`playground chat --attach`: what goes with a question, what is kept of it, and what may not go."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.chat.formats.html import to_html
from app.chat.formats.markdown import to_markdown
from app.chat.formats.own import from_json, to_json
from app.cli.main import cli
from app.cli.session import Session
from app.messages import Image, Text
from tests.chat.test_attaching import png
from tests.routing.scripted import endpoint

from .scripted import FINISHED, ScriptedBackend
from .vaults import in_vault


def test_files_go_with_the_question_are_kept_and_come_out_of_every_export(
    run_cli, home_with_starter, environ, tmp_path
):
    (tmp_path / "notes.md").write_text("# Notes\n\n```\nred\n```\n")
    (tmp_path / "old.txt").write_bytes("Grüße".encode("cp1252"))
    backend = ScriptedBackend(["Red.", FINISHED])
    files = ("--attach", str(tmp_path / "notes.md"), "--attach", str(tmp_path / "old.txt"), "--attach", "-")
    assert run_cli("chat", "Which?", *files, piped=b"and this\n", backend=backend).exit_code == 0
    (part,) = backend.requests[0].messages[-1].parts
    notes = f"File: {tmp_path}/notes.md\n\n````markdown\n# Notes\n\n```\nred\n```\n````"
    old, piped = f"File: {tmp_path}/old.txt\n\n```\nGrüße\n```", "File: standard input\n\n```\nand this\n```"
    assert part == Text(f"{notes}\n\n{old}\n\n{piped}\n\nWhich?")

    async def whole(vault):
        (line,) = await vault.sessions.lines()
        return await vault.sessions.load(line.id)

    kept = in_vault(environ, whole)
    message = kept.nodes[0].message
    assert message.text == "Which?" and len(message.attached) == 3
    assert kept.session.title == "Which?"
    assert from_json(to_json(kept)).nodes == kept.nodes
    assert notes in to_markdown(kept)
    assert "notes.md</summary>" in to_html(kept) and "Grüße" in to_html(kept)
    again = ScriptedBackend(["Blue.", FINISHED])
    assert run_cli("chat", "--continue", "--attach", str(tmp_path / "old.txt"), backend=again).exit_code == 0
    assert again.requests[0].messages[0].parts == (part,)
    assert in_vault(environ, whole).nodes[2].message.attached == (Text(old, f"{tmp_path}/old.txt"),)


@pytest.mark.parametrize(
    ("name", "held", "said"),
    [
        ("a.png", png(4, 4), "smollm2-135m cannot see pictures, so nothing was sent."),
        ("a.bin", b"\0\1\2\3", "a.bin is neither a text nor a picture"),
        ("gone", None, "gone cannot be read: No such file or directory."),
    ],
)
def test_what_cannot_go_is_said_and_nothing_is_asked(run_cli, home_with_starter, tmp_path, name, held, said):
    if held is not None:
        (tmp_path / name).write_bytes(held)
    backend = ScriptedBackend([FINISHED])
    result = run_cli("chat", "Hi", "--attach", str(tmp_path / name), backend=backend)
    assert result.exit_code == 1 and said in result.stderr
    assert not backend.requests


def test_what_commonly_holds_secrets_does_not_leave_the_machine_unasked(home, environ, tmp_path):
    (home / "config").mkdir()
    (home / "config" / "models.toml").write_text(endpoint("cloud") + '[remote.gpt]\nendpoint = "cloud"\n')
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / ".env").write_text("TOKEN=1")
    link = tmp_path / "harmless.txt"
    link.symlink_to(tmp_path / "real" / ".env")

    def ask(file: Path) -> Result:
        session = Session(environ, interface=lambda playground: None)
        args = ["chat", "-m", "gpt", "--no-keep", "Hi", "-a", str(file)]
        return CliRunner().invoke(cli, args, obj=session, prog_name="playground")

    result = ask(link)
    assert result.exit_code == 1
    assert "harmless.txt may hold secrets, and gpt is not on this machine, so nothing was sent." in result.stderr


def test_a_picture_is_kept_with_its_name_and_shown_in_exports():
    import msgspec

    from app.chat.attaching.sending import with_attached
    from app.messages import Node
    from app.vault.conversations.records import WholeSession
    from app.vault.conversations.sessions import new_session

    image = Image("image/png", png(4, 4), name="a <b>.png")
    node = Node(id="1", parent_id=None, message=with_attached("Look", kept=[image]))
    whole = WholeSession(msgspec.structs.replace(new_session(title="Pictures"), head_id="1"), (node,))
    assert from_json(to_json(whole)) == whole
    assert 'alt="a &lt;b&gt;.png"' in to_html(whole)
    assert "![a \\<b\\>.png](data:image/png;base64," in to_markdown(whole)
    assert "**Image:** a \\<b\\>.png, " in to_markdown(whole, pictures=False)
