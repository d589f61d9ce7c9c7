"""What starts fast stays light: heavy packages are imported where they are used, native ones in workers alone."""

import subprocess
import sys

import pytest

NATIVE = {"llama_cpp", "ctranslate2", "onnxruntime", "torch", "faiss", "numpy"}
REMOTE = {"openai", "anthropic", "aiohttp", "httpx2", "httpcore2", "h2"}
HEAVY = {"httpx", "huggingface_hub", "yaml", "jinja2", "psutil", "rich", "pip"}
STARTED = "app.__main__, app.cli.session, app.cli.streams, app.privacy.core_dumps, app.privacy.guard"
"""What the program imports whatever is asked of it; the first imports the rest when it is called."""


def imported_by(*modules):
    code = f"import sys; import {', '.join(modules)}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("module", [STARTED, "app.tui.app", "app.cli.main", "app.cli.chat", "app.engine.pool"])
def test_no_face_imports_native_or_remote_code(module):
    assert not imported_by(module) & (NATIVE | REMOTE)


def test_no_command_imports_native_or_remote_code():
    assert not imported_by("app.cli.bench", "app.cli.chat", "app.cli.doctor", "app.cli.models") & (NATIVE | REMOTE)


@pytest.mark.parametrize("module", [STARTED, "app.cli.main", "app.cli.chat", "app.playground"])
def test_the_command_line_starts_light(module):
    assert not imported_by(module) & ({"textual"} | HEAVY)


def test_the_interface_starts_without_what_only_downloads_need():
    assert not imported_by("app.tui.app") & (HEAVY - {"rich"})


def test_wiring_the_parts_imports_nothing_heavy(tmp_path):
    code = (
        "import sys; from app.playground import Playground;"
        f"Playground.open({{'PLAYGROUND_HOME': {str(tmp_path)!r}}});"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not set(found) & (NATIVE | REMOTE | HEAVY | {"textual"})
