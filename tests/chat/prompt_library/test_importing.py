"""Prompts taken from folders of others: Fabric's patterns, plain Markdown, and what lies among them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.chat.prompt_library import importing
from app.chat.prompt_library.importing import hidden_in, prompts_at
from app.chat.prompt_library.variables import filled
from app.errors import ImportFormatError
from app.vault.prompts.records import Prompt


def write(folder: Path, **files: str | bytes) -> Path:
    """Files below ``folder``; two underscores in a name part folders."""
    for name, content in files.items():
        path = folder.joinpath(*name.split("__")).with_suffix(".md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def test_patterns_of_fabric_are_taken_whole_and_alone(tmp_path):
    write(
        tmp_path,
        README="About.",
        docs__guide="How to.",
        patterns__extract_wisdom__system="# IDENTITY\n\nYou extract {{what:ideas}}.\n\n# INPUT\n\nINPUT:\n",
        patterns__extract_wisdom__user="\n",
        patterns__extract_wisdom__README="No.",
        patterns__ask__system="Ask about {{input}}. {{plugin:sys:env:HOME}} {{ ext:x}}",
        patterns__ask__user="Be kind.",
        patterns__empty__system="",
    )
    found = prompts_at(tmp_path)
    assert [(prompt.name, prompt.title, prompt.tags) for prompt in found.prompts] == [
        ("ask", "Ask", ("fabric",)),
        ("extract-wisdom", "Extract wisdom", ("fabric",)),
    ]
    ask, wisdom = found.prompts
    assert ask.text == "Ask about {{input}}. \\{{plugin:sys:env:HOME}} \\{{ ext:x}}\n\nBe kind."
    assert filled(ask.text, {"input": "x"}).startswith("Ask about x. {{plugin:sys:env:HOME}} {{ ext:x}}")
    assert found.calls == ("ask",)
    assert wisdom.text.endswith("INPUT:\n\n{{input}}")
    assert [str(tmp_path / "patterns" / "empty") in trouble.message for trouble in found.troubles] == [True]
    assert found.left_out == 1
    for path in ("patterns/extract_wisdom", "patterns/extract_wisdom/system.md"):
        assert prompts_at(tmp_path / path).prompts == (wisdom,)


def test_plain_files_are_taken_and_everything_strange_among_them_is_left(tmp_path):
    outside = write(tmp_path / "outside", secret="Secret.")
    folder = write(
        tmp_path / "mine",
        One="First.",
        LICENSE="No.",
        sub__one="---\ntitle: Other\n---\nSecond.",
        wide="Wide é".encode("utf-16"),
        broken=b"\xff\xff\xff",
        zero="a\0b",
        big="x" * (256 * 1024 + 1),
    )
    (folder / ".hidden.md").write_text("Hidden.")
    (folder / "notes.txt").write_text("Notes.")
    (folder / "link.md").symlink_to(outside / "secret.md")
    (folder / "folder").symlink_to(outside, target_is_directory=True)
    (folder / "around").symlink_to(folder, target_is_directory=True)
    os.mkfifo(folder / "pipe.md")
    found = prompts_at(folder)
    assert {prompt.name: prompt.text for prompt in found.prompts} == {
        "one": "First.",
        "one-2": "Second.",
        "wide": "Wide é",
    }
    assert len(found.troubles) == 3 and found.links == 3
    for one in ("pipe.md", "nothing", "broken.md"):
        with pytest.raises(ImportFormatError, match=one):
            prompts_at(folder / one)
    assert prompts_at(folder / "link.md").prompts[0].name == "link"  # a person named it


def test_a_folder_of_too_much_is_refused(tmp_path, monkeypatch):
    write(tmp_path, a="A.", b="B.", c="C.")
    monkeypatch.setattr(importing, "MOST_PROMPTS", 2)
    with pytest.raises(ImportFormatError, match="holds 3 prompts"):
        prompts_at(tmp_path)
    monkeypatch.setattr(importing, "_MOST_ENTRIES", 2)
    with pytest.raises(ImportFormatError, match="more than 2 files"):
        prompts_at(tmp_path)


def test_characters_that_hide_instructions_are_counted():
    unseen = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")
    assert hidden_in(Prompt(name="a", text=f"Sum up. {unseen}")) == 4
    assert hidden_in(Prompt(name="a", text="Résumé\tof\n日本語 👩‍🔬")) == 0
