"""`playground usage`."""

from __future__ import annotations

import csv
import io
import json
import time
from datetime import datetime

import click.testing
import pytest
from click.testing import CliRunner

from app.cli.main import cli
from app.vault.activity.usage import UsageRow

from .scripted import FINISHED, NotedSession, ScriptedBackend
from .vaults import in_vault

NOW = time.time()
DAY = 86_400.0


def rows():
    return [
        UsageRow(
            at=NOW - 60, model="small", backend="local", prompt_tokens=900, completion_tokens=101, decode_s=1.0,
            first_token_s=0.25, total_s=1.3,
        ),
        UsageRow(at=NOW - 60, model="small", backend="local", prompt_tokens=900, from_cache=True, cost=0.0),
        UsageRow(at=NOW - 3 * DAY, model="far\x1b[2J", backend="away", prompt_tokens=10, completion_tokens=1, cost=0.5),
        UsageRow(at=NOW - 3 * DAY, model="unpriced", backend="away", prompt_tokens=5, completion_tokens=1),
        UsageRow(at=NOW - 90 * DAY, model="small", backend="", outcome="failed"),
    ]  # fmt: skip


@pytest.fixture
def kept(environ):
    in_vault(environ, lambda vault: vault.usage.add(rows()))
    return environ


def found(run_cli, *words):
    return json.loads(run_cli("usage", "--json", *words).output)


def test_nothing_is_there_before_anything_was_asked(run_cli):
    assert run_cli("usage").output.startswith("No usage is counted yet.")
    assert found(run_cli) == {"since": None, "until": None, "total": None, "by": "model", "rows": []}


def test_an_answer_on_the_command_line_is_counted_once(home_with_starter, environ, run_cli):
    environ["PLAYGROUND_VAULT__DAILY_BACKUP"] = "false"
    session = NotedSession(environ, ScriptedBackend(["Hello.", FINISHED]))
    assert CliRunner().invoke(cli, ["chat", "Hello?"], obj=session).exit_code == 0
    (row,) = found(run_cli)["rows"]
    assert (row["model"], row["requests"], row["failed"], row["completion_tokens"]) == ("smollm2-135m", 1, 0, 2)
    assert row["latency"] is not None


def test_by_model_as_json(kept, run_cli):
    week = found(run_cli)
    assert [row["model"] for row in week["rows"]] == ["small", "far\x1b[2J", "unpriced"]
    small, far, unpriced = week["rows"]
    assert (small["requests"], small["given_again"], small["prompt_tokens"], small["speed"]) == (2, 1, 900, 100.0)
    assert (small["cost"], far["cost"], unpriced["cost"], unpriced["unpriced"]) == (None, 0.5, None, 1)
    assert (week["total"]["requests"], week["total"]["cost"], week["total"]["failed"]) == (4, 0.5, 0)
    assert found(run_cli, "--span", "all")["total"]["failed"] == 1
    assert [row["model"] for row in found(run_cli, "-m", "small", "--span", "day")["rows"]] == ["small"]


def test_by_day_and_since_a_day_of_this_machine(kept, run_cli):
    def day(seconds):
        return f"{datetime.fromtimestamp(seconds):%Y-%m-%d}"

    days = [(row["day"], row["requests"]) for row in found(run_cli, "--by", "day", "--span", "all")["rows"]]
    assert days == [(day(NOW - 90 * DAY), 1), (day(NOW - 3 * DAY), 2), (day(NOW - 60), 2)]
    since = found(run_cli, "--since", day(NOW - 3 * DAY))
    assert (since["total"]["requests"], since["since"]) == (4, datetime.fromisoformat(day(NOW - 3 * DAY)).timestamp())
    assert found(run_cli, "--since", day(NOW - 60), "-m", "nobody")["rows"] == []
    assert run_cli("usage", "--since", "2999-01-01").exit_code == 1
    assert run_cli("usage", "--since", "yesterday").exit_code == 1
    assert run_cli("usage", "--since", "2026-01-01", "--span", "day").exit_code == 2


def test_piped_it_is_plain_and_on_a_terminal_a_table(kept, run_cli, monkeypatch):
    plain = run_cli("usage").output
    assert "\x1b" not in plain
    small, far, unpriced = csv.DictReader(io.StringIO(plain), delimiter="\t")
    assert (small["model"], small["prompt_tokens"], small["cost"], small["speed"]) == ("small", "900", "", "100")
    assert (far["cost"], unpriced["cost"]) == ("0.5", "")
    monkeypatch.setattr(click.testing._NamedTextIOWrapper, "isatty", lambda self: True)
    told = run_cli("usage").output
    assert told.startswith("The last 7 days: 4 requests, 1,018 tokens, 1 from the cache, $0.50000 + no price known\n")
    head, first, *_, last = told.split("\n\n")[1].splitlines()
    assert head.split()[:2] == ["Model", "Requests"] and "Failed" not in head
    assert all(len(line) <= 80 for line in told.split("\n\n")[1].splitlines())
    assert first.split()[-1] == "-" and last.endswith("no price known") and "\x1b[2J" not in told
