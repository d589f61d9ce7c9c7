"""Local-only mode lets nothing but loopback through."""

import pytest

from app.errors import LocalOnlyError
from app.privacy.connections import ConnectionPolicy


@pytest.mark.parametrize(
    "target", ["https://example.org/x", "example.org", "10.0.0.1", "http://0.0.0.0/", "", "http://"]
)
def test_what_would_leave_the_machine_is_refused_by_name(target):
    with pytest.raises(LocalOnlyError, match="did not fetch it"):
        ConnectionPolicy(local_only=True).require(target, "fetch it")


@pytest.mark.parametrize("target", ["http://127.0.0.1:8000/x", "http://[::1]/", "localhost", "127.0.0.5"])
def test_loopback_is_this_machine(target):
    ConnectionPolicy(local_only=True).require(target, "fetch it")


def test_otherwise_everything_may_be_reached():
    ConnectionPolicy(local_only=False).require("https://example.org", "fetch it")
