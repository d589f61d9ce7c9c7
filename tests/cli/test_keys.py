"""`playground keys` and `playground users`."""

import json

from app.vault.activity.usage import UsageRow

from .vaults import in_vault


def test_a_key_is_shown_once_listed_and_revoked(run_cli):
    assert "no keys yet" in run_cli("keys", "list").stdout
    made = run_cli("keys", "create", "my editor", "--scope", "chat", "--expires", "30d", "--requests-per-minute", "9")
    text = made.stdout.strip()
    assert made.exit_code == 0 and text.startswith("pg-") and "shown this once" in made.stderr
    listed = run_cli("keys", "list").stdout
    assert text not in listed and "my editor" in listed and "9 requests/min" in listed and "valid until" in listed
    assert run_cli("keys", "revoke", "my editor").exit_code == 0
    (facts,) = json.loads(run_cli("keys", "list", "--json").stdout)
    assert (facts["state"], facts["scopes"]) == ("revoked", ["chat"])
    wrong = run_cli("keys", "create", "x", "--expires", "soon")
    assert (wrong.exit_code, "expected a number with h, d, w or y" in wrong.stderr) == (1, True)
    assert run_cli("keys", "revoke", "nobody").exit_code == 1


def test_usage_is_summed_and_exported(run_cli, environ):
    made = json.loads(run_cli("keys", "create", "editor", "--json").stdout)
    rows = [
        UsageRow(at=1.8e9 + day * 86_400, model=model, backend="local", api_key=made["id"], prompt_tokens=10)
        for day, model in enumerate(("small", "small", "=cmd()"))
    ]
    in_vault(environ, lambda vault: vault.usage.add(rows))
    said = run_cli("keys", "usage").stdout
    assert "editor" in said and "3 answers, 30 tokens" in said
    assert len(json.loads(run_cli("keys", "usage", "editor", "--json").stdout)) == 3
    written = run_cli("keys", "usage", made["id"], "--csv", "--since", "2027-01-16").stdout.splitlines()
    assert len(written) == 3 and ",'=cmd()," in written[2]
    assert run_cli("keys", "usage", "--since", "yesterday").exit_code == 1


def test_users_are_added_listed_disabled_and_given_another_password(run_cli):
    added = run_cli("users", "add", "anna", "--role", "admin", "--stdin", piped=b"long enough\n")
    assert added.exit_code == 0, added.stderr
    assert "5 characters" in run_cli("users", "add", "ben", "--stdin", piped=b"short\n").stderr
    assert "anna" in run_cli("users", "list").stdout
    assert run_cli("users", "password", "anna", "--stdin", piped=b"another one\n").exit_code == 0
    assert run_cli("users", "disable", "anna").exit_code == 0
    assert json.loads(run_cli("users", "list", "--json").stdout)[0]["disabled_at"]
    assert run_cli("users", "enable", "anna").exit_code == 0
    assert run_cli("users", "disable", "nobody").exit_code == 1
