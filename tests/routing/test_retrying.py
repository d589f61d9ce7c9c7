"""Which failures are worth another try."""

from __future__ import annotations

from app.errors import RemoteBusyError, RemoteRefusedError
from app.routing.trying.retrying import is_failed_over, is_retried


def test_a_quota_that_is_used_up_is_not_asked_again_but_another_model_may_answer():
    error = RemoteRefusedError("The quota is used up.", status=429)
    assert not is_retried(error)
    assert is_failed_over(error)


def test_a_busy_provider_is_asked_again():
    assert is_retried(RemoteBusyError("Later.", status=429))
