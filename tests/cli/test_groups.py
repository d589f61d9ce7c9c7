"""The lists of commands: complete, and shown without importing what they list."""

import subprocess
import sys

import pytest

from app.cli.main import cli
from app.cli.sessions import sessions


@pytest.mark.parametrize("group", [cli, sessions])
def test_every_command_is_where_the_list_says(group):
    for name in group.list_commands(None):
        assert group.get_command(None, name).name == name
    assert group.get_command(None, "nobody") is None


@pytest.mark.parametrize(("words", "command"), [((), "doctor"), (("sessions",), "export")])
def test_the_list_is_shown_without_the_files_of_its_commands(words, command):
    code = (
        "import sys; from app.cli.main import cli; from app.cli.session import Session;"
        "cli(standalone_mode=False, obj=Session({}, print)); print(*sys.modules)"
    )
    arguments = [sys.executable, "-c", code, *words, "--help"]
    shown = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    assert f"\n  {command} " in shown
    assert "app.cli.chat" not in shown
    assert "app.cli.sessions.listing" not in shown


@pytest.mark.parametrize("args", [("sessoins",), ("sessions", "lisst"), ("vault", "nothing"), ("backup", "\udcff")])
def test_an_unknown_command_is_a_mistake_in_usage(run_cli, args):
    result = run_cli(*args)
    assert result.exit_code == 2
    assert "No such command" in result.stderr
