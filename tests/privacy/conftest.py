"""A place that is not loopback and yet on this machine: what reaches it has left by a network device."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.privacy.outside import Listener, listening_outside


@pytest.fixture
def outside() -> Iterator[Listener]:
    """A listener on an address of this machine that is not loopback."""
    with listening_outside() as listener:
        yield listener
