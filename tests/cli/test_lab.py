"""`playground compare` and `playground debate`, around scripted answers."""

import json

import pytest

from app.errors import EngineError

from .scripted import FINISHED, ScriptedBackend
from .vaults import in_vault


class Two(ScriptedBackend):
    """Two models; the second fails where it is told to."""

    def __init__(self, *, fails=False):
        super().__init__([])
        self._fails = fails

    async def models(self):
        return ("smollm2-135m", "second")

    async def stream(self, request):
        failing = self._fails and request.model == "second"
        self.steps = [EngineError("It fell over.")] if failing else [f"\x1b[31m{request.model} says so.", FINISHED]
        async for delta in super().stream(request):
            yield delta


@pytest.fixture
def two(environ, home_with_starter, starter_model):
    config = home_with_starter / "config"
    config.mkdir(exist_ok=True)
    (config / "models.toml").write_text(f'[models.second]\nsource = "path:{starter_model}"\n')
    return ("-m", "smollm2-135m", "-m", "second")


def test_answers_and_figures_of_each(run_cli, two):
    shown = run_cli("compare", "Why?", *two, backend=Two())
    assert shown.exit_code == 0, shown.output
    assert "── smollm2-135m\n␛[31msmollm2-135m says so." in shown.stdout.replace("\\x1b", "␛")
    assert [line.split()[:3] for line in shown.stdout.splitlines()[-2:]] == [
        ["smollm2-135m", "2", "2.0"],
        ["second", "2", "2.0"],
    ]


def test_one_that_fails_is_said_and_the_other_answers(run_cli, two):
    backend = Two(fails=True)
    found = json.loads(run_cli("compare", "Why?", "--system", "Be short.", "--json", *two, backend=backend).stdout)
    first, second = found["answers"]
    assert (first["tokens"], first["error"], second["error"]["message"]) == (2, None, "It fell over.")
    assert [message.role for message in backend.requests[0].messages] == ["system", "user"]


def test_a_name_that_nobody_has_is_found_before_anybody_is_asked(run_cli, two):
    backend = Two()
    shown = run_cli("compare", "Why?", *two, "-m", "nobody", backend=backend)
    assert (shown.exit_code, backend.requests) == (1, [])
    assert "nobody" in shown.stderr


def test_a_debate_is_shown_and_kept(run_cli, two, environ):
    shown = run_cli("debate", "Is tea good?", *two, backend=Two())
    assert shown.exit_code == 0, shown.output
    titles = [line.removeprefix("── ") for line in shown.stdout.splitlines() if line.startswith("── ")]
    assert titles[0::2] == [
        "smollm2-135m opens",
        "smollm2-135m criticises",
        "smollm2-135m concludes",
        "smollm2-135m judges",
    ]

    async def tagged(vault):
        return [(line.title, line.messages) for line in await vault.sessions.lines(tag="debate")]

    assert in_vault(environ, tagged) == [("Is tea good?", 14)]


def test_a_debate_that_is_not_to_be_kept_is_not(run_cli, two, environ):
    found = json.loads(run_cli("debate", "Is tea good?", "--no-keep", "--json", *two, backend=Two()).stdout)
    assert (found["session"], len(found["turns"])) == (None, 7)
    assert run_cli("debate", "Alone?", "-m", "smollm2-135m", backend=Two()).exit_code == 1

    async def count(vault):
        return len(await vault.sessions.lines())

    assert in_vault(environ, count) == 0
