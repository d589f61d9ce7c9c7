"""``playground --device``: what models run on, whatever the settings say."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def built(monkeypatch):
    def of(*kinds):
        monkeypatch.setattr("app.engine.hardware.built_for", lambda: frozenset(kinds))

    return of


def test_a_device_that_the_engine_was_not_built_for_is_refused_in_one_line(run_cli, built):
    built()
    for kind, written in (("cuda", "CUDA"), ("metal", "Metal"), ("vulkan", "Vulkan")):
        result = run_cli("--device", kind, "models", "list")
        assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1)
        assert f"The engine was not built for {written}; it can use: the CPU." in result.stderr
    built("cuda")
    assert "it can use: the CPU, CUDA." in run_cli("--device", "metal", "models", "list").stderr
    assert run_cli("--device", "cuda", "models", "list").exit_code == 0


def test_it_goes_before_the_setting_and_doctor_says_where_it_comes_from(run_cli, environ):
    environ["PLAYGROUND_ENGINE__DEVICE"] = "CUDA7"
    settings = json.loads(run_cli("--device", "CPU", "doctor", "--json").stdout)["settings"]
    assert settings["engine.device"] == {"value": "cpu", "from": "--device"}


def test_what_is_no_kind_of_device_is_refused(run_cli):
    assert run_cli("--device", "toaster", "models", "list").exit_code == 2
