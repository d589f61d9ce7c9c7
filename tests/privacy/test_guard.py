"""With the guard on, nothing in a real process reaches an address that is not loopback; with it off, all does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.privacy.connections import ConnectionPolicy, is_loopback_address

PROGRAM = Path(__file__).parent / "programs" / "guarded.py"


def test_a_process_reaches_nothing_while_it_is_on_and_everything_while_it_is_off(outside):
    ended = subprocess.run(
        [sys.executable, str(PROGRAM), outside.host, str(outside.port)], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    denied = {deed: outcome for deed, outcome in told["on"].items() if outcome != "denied"}
    # The hub's library stays at home by itself, told by its variable before it is imported.
    assert denied == {"hub": "OfflineModeIsEnabled"}
    assert len(told["on"]) >= 20
    assert told["local"] == ["done", "127.0.0.1"]
    assert (told["variables on"], told["variables off"]) == ("1", None)
    # The control: the same deeds are seen where they go, once each, while it is off.
    assert (told["off"]["tcp"], told["off"]["udp"]) == ("done", "done")
    assert outside.came.count("udp") == 1
    assert outside.came.count("tcp") >= 4
    assert told["cut"] is True
    assert told["on again"] == "denied"


def test_whoever_watches_the_policy_is_told_of_each_change():
    policy, told = ConnectionPolicy(local_only=False), []
    policy.watch(told.append)
    policy.local_only = True
    policy.local_only = False
    assert told == [True, False]


@pytest.mark.parametrize(
    ("host", "local"),
    [
        *((host, True) for host in ("127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1")),
        *((host, False) for host in ("::ffff:10.0.0.1", "0.0.0.0", "::", "10.0.0.1", "169.254.1.1", "fe80::1%lo")),
    ],
)
def test_addresses_of_this_machine(host, local):
    assert is_loopback_address(host) is local


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001", "", "example.org"])
def test_what_is_no_address_is_none(host):
    with pytest.raises(ValueError):
        is_loopback_address(host)
