"""`playground requests`."""

import csv
import io
import json

import pytest

from app.vault.activity.audit import AuditNote, Detour

from .vaults import in_vault

NOW = 1_790_000_000.0
KEY = "planted-key-0123456789"


def notes():
    return [
        AuditNote(
            at=NOW, face="tui", asked="m", model="m", backend="local", finish="stop", first_token_s=0.05, total_s=2.5
        ),
        AuditNote(
            at=NOW + 60,
            face="server",
            asked="far",
            model="m",
            backend="local",
            attempts=3,
            detours=(Detour("far", "m", "far was\x1b[31m busy."),),
            cost=0.00125,
            prompt_tokens=7,
            completion_tokens=3,
            request={"messages": [{"text": "hello"}]},
        ),
        AuditNote(
            at=NOW + 120, face="cli", asked="=far", outcome="failed", error="remote_busy", message=f"It said {KEY}."
        ),
    ]


@pytest.fixture
def kept(environ):
    in_vault(environ, lambda vault: vault.audit.add(notes()))
    return environ


def test_nothing_is_there_before_anything_was_asked(run_cli):
    assert run_cli("requests", "list").output.startswith("No request is noted.")
    assert json.loads(run_cli("requests", "list", "--json").output) == []
    assert run_cli("requests", "export").output == ""


def test_the_list_as_a_table_and_as_json(kept, run_cli):
    lines = run_cli("requests", "list", "--pretty").output.splitlines()
    assert lines[0].split() == ["No", "When", "From", "Model", "By", "Outcome", "First", "Total", "Tokens", "Cost"]
    assert [line.split()[0] for line in lines[1:]] == ["3", "2", "1"]
    assert "far → m" in lines[2] and "$0.00125" in lines[2] and "7+3" in lines[2] and "50 ms" in lines[3]
    assert "remote_busy" in lines[1]
    found = json.loads(run_cli("requests", "list", "--json").output)
    assert [one["number"] for one in found] == [3, 2, 1] and found[1]["detours"][0]["next_model"] == "m"
    assert run_cli("requests", "list", "--json", "--pretty").exit_code == 2


def test_requests_are_chosen(kept, run_cli):
    def numbers(*words):
        return [one["number"] for one in json.loads(run_cli("requests", "list", "--json", *words).output)]

    assert numbers("--failed") == [3]
    assert numbers("--model", "m") == [2, 1] and numbers("-m", "far") == [2]
    assert numbers("--since", "2026-09-21", "--until", "2026-09-22") == [3, 2, 1]
    assert numbers("--since", "2026-09-22") == [] and numbers("--limit", "1") == [3]
    assert "2026-01-31" in run_cli("requests", "list", "--since", "yesterday").output


def test_one_request(kept, run_cli):
    told = run_cli("requests", "show", "2").output
    assert "far → m: far was" in told and "\x1b" not in told and '"text": "hello"' in told and "$0.00125" in told
    assert json.loads(run_cli("requests", "show", "2", "--json").output)["attempts"] == 3
    missing = run_cli("requests", "show", "9")
    assert missing.exit_code == 1 and "number 9" in missing.output


def test_export_as_lines_of_json_and_as_csv(kept, run_cli, tmp_path):
    lines = run_cli("requests", "export").output.splitlines()
    assert [json.loads(line)["number"] for line in lines] == [3, 2, 1]
    file = tmp_path / "requests.csv"
    assert run_cli("requests", "export", str(file), "--csv", "-m", "m").output.startswith("2 requests written")
    rows = list(csv.DictReader(file.open()))
    assert [row["number"] for row in rows] == ["2", "1"] and "request" not in rows[0]
    again = run_cli("requests", "export", str(file))
    assert again.exit_code == 1 and "there already" in again.output
    formulas = list(csv.DictReader(io.StringIO(run_cli("requests", "export", "--csv").output)))
    assert formulas[0]["asked"] == "'=far"


def test_a_key_that_became_known_later_is_masked_all_the_same(kept, environ, run_cli):
    environ["FAR_API_KEY"] = KEY
    for words in (["list", "--json"], ["show", "3"], ["show", "3", "--json"], ["export"], ["export", "--csv"]):
        told = run_cli("requests", *words).output
        assert KEY not in told and "•••" in told


async def test_an_error_is_noted_with_its_sentence(environ):
    from app.messages import ChatRequest, Message
    from app.playground import Playground

    playground = Playground.open(environ)
    await playground.vault.open()
    with pytest.raises(Exception, match="no-such-model"):
        async for _ in playground.router.stream(ChatRequest(model="no-such-model", messages=(Message.user("hello"),))):
            pass
    await playground.aclose()
    await playground.vault.open()
    (note,) = await playground.vault.audit.notes()
    assert (note.face, note.asked, note.outcome, note.error) == ("cli", "no-such-model", "failed", "unknown_model")
    await playground.vault.close()
