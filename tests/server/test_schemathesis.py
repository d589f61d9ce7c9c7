"""schemathesis over the whole OpenAPI document, against a real server with a real vault: no 5xx, no broken promise.

The suite sends more than 5,000 cases, most of them made from the bounds of the schemas;
``PLAYGROUND_SCHEMATHESIS_CASES=20000`` adds so many random ones, in all.
"""

import os

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.server.app import build
from app.settings import Settings
from app.settings.observability import ObservabilitySettings

from .scripted import ScriptedBackend, services_of
from .whole import MODEL, whole_server

OPERATIONS = 57
CASES = max(4, int(os.environ.get("PLAYGROUND_SCHEMATHESIS_CASES", "0")) // OPERATIONS)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXPECTED = {"/readiness": {503}, "/infill": {501}}
"""Statuses of 500 and more that are the right answer: a server without room, a model that was not taught this."""

sent = {"cases": 0, "answered": 0}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    server = msgspec.structs.replace(Settings().server, unknown_model="default")
    # An unknown model's name is answered by the default one: otherwise every case would end at the name.
    folder = tmp_path_factory.mktemp("whole")
    with whole_server(folder, gated=True, server=server, observability=ObservabilitySettings(log_to="off")) as running:
        yield running


# The document alone is taken from here; the cases go to the real server.
document = schemathesis.openapi.from_dict(
    build(services_of(ScriptedBackend([])), gate=lambda app: app).openapi()  # with the routes that the gate has
)


@pytest.mark.timeout(1800)
@document.parametrize()
@settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
    database=None,
)
def test_no_case_breaks_a_promise(case, served):
    answer = case.call(base_url=served.address, timeout=20, headers={"authorization": f"Bearer {served.key}"})
    sent["cases"] += 1
    sent["answered"] += answer.status_code < 400
    if answer.status_code in EXPECTED.get(case.operation.path, ()):
        return
    case.validate_response(answer, checks=CHECKS)


def test_the_cases_were_sent_and_some_were_answered():
    print(f"\n{sent['cases']} cases, {sent['answered']} of them answered with 2xx; model {MODEL}")
    assert sent["cases"] >= 5000
    assert sent["answered"] > sent["cases"] / 20
