"""``doctor --privacy`` tells the truth: with every layer in place, with none, and with the mode off."""

from __future__ import annotations

import json
import subprocess
import sys

from app.engine.process.worker_process import WORKER_COMMAND
from app.privacy.breakout import Target, break_out
from app.privacy.connections import ConnectionPolicy


def doctor(environ, *args, target):
    there = f"{target.host}:{target.port}"
    command = [sys.executable, "-m", "app", *args, "doctor", "--privacy", "--json", "--target", there]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environ)
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def test_in_local_only_mode_every_try_of_ours_is_stopped_and_what_is_not_ours_is_named(environ, outside):
    status, told = doctor(environ, "--local-only", target=outside)
    by = {attempt["what"]: attempt["by"] for attempt in told["attempts"]}
    assert status == 0
    assert by.pop("a download or a remote model") == "router"
    assert by.pop("the model hub's library") == "library"
    assert by.pop("a worker process, by the C library") == "kernel"
    # A program of others is not held without the kernel, and that is said: the one connection that is seen is its.
    assert by.pop("another program, started from here") == "nothing"
    assert set(by.values()) == {"guard"}
    assert len(by) == 7
    assert outside.came == ["tcp"]


def test_sealed_nothing_gets_out_at_all(environ, outside):
    status, told = doctor(environ, "--sealed", target=outside)
    assert status == 0
    assert told["sealed"] is True
    assert not {attempt["by"] for attempt in told["attempts"]} & {"nothing", "no network"}
    assert outside.came == []


def test_with_the_mode_off_it_shows_that_they_go_out(environ, outside):
    status, told = doctor(environ, target=outside)
    by = {attempt["what"]: attempt["by"] for attempt in told["attempts"]}
    assert status == 0
    assert by[f"TCP to {outside.host}:{outside.port}"] == "nothing"
    assert by["a worker process, by the C library"] == "kernel"
    assert outside.came.count("udp") == 1
    assert outside.came.count("tcp") >= 5


async def test_it_does_not_take_a_layers_word_for_it(outside):
    """The mode is on, but no guard was installed in this process: that is seen and told."""
    attempts = await break_out(ConnectionPolicy(local_only=True), WORKER_COMMAND, Target(outside.host, outside.port))
    broken = {attempt.what for attempt in attempts if not attempt.holds}
    assert f"TCP to {outside.host}:{outside.port}" in broken
    assert "HTTP by httpx" in broken
    assert "a download or a remote model" not in broken
    dead = await break_out(ConnectionPolicy(local_only=True), [sys.executable, "-c", ""], Target(outside.host, 9))
    assert not dead[-1].holds
