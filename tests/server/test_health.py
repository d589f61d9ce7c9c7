"""``/health`` and ``/readiness``: what watches over the server asks them, without a key."""

import dataclasses

import httpx
import pytest

from app.server.observing.parts import Observing

from .scripted import ScriptedBackend, served, services_of
from .whole import KEY, MODEL, CannedPool, Installed, whole_server


class Vault:
    state = "open"


@pytest.fixture
def services(tmp_path):
    from app.engine.catalogues.catalogue import Catalogue, shipped

    catalogue = Catalogue.load([shipped()])
    backend = ScriptedBackend(["Hello"])

    async def models():
        return (MODEL,)

    backend.models = models
    return dataclasses.replace(
        services_of(backend),
        catalogue=catalogue,
        store=Installed(tmp_path),
        pool=CannedPool(catalogue),
        vault=Vault(),
    )


async def ask(services, path="/readiness", **observing):
    watching = dataclasses.replace(Observing.silent(services), **observing)
    async with served(services, observing=watching) as address, httpx.AsyncClient(base_url=address) as http:
        return await http.get(path)


async def test_a_server_that_runs_is_healthy_in_llamacpps_words(services):
    for path in ("/health", "/v1/health"):
        answer = await ask(services, path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_a_server_that_could_answer_is_ready(services):
    answer = await ask(services)
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reasons": []})


async def test_without_its_default_model_it_is_not_ready(services):
    services.store.path_of = lambda entry: None
    answer = await ask(services)
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "reasons": ["The default model is not on this machine."]}


@pytest.mark.parametrize(("needs_vault", "status"), [(True, 503), (False, 200)])
async def test_a_locked_vault_matters_where_it_holds_the_keys(services, needs_vault, status):
    services.vault.state = "locked"
    answer = await ask(services, needs_vault=needs_vault)
    assert answer.status_code == status
    assert ("The vault is locked, so no key opens." in answer.json()["reasons"]) is needs_vault


@pytest.mark.parametrize(("requests", "status"), [(0, 200), (4 + 255, 200), (4 + 256, 503)])
async def test_a_full_queue_is_not_ready(services, requests, status):
    model = await services.pool.load(MODEL)
    services.pool.models = [dataclasses.replace(model, requests=requests)]
    assert (await ask(services)).status_code == status


def test_both_are_public_and_tell_strangers_nothing_of_the_machine(tmp_path):
    with whole_server(tmp_path, gated=True) as running:
        for path in ("/health", "/readiness"):
            answer = httpx.get(running.address + path)
            assert answer.status_code == 200
            assert str(tmp_path) not in answer.text
            assert answer.headers["x-request-id"].startswith("req_")
        assert httpx.get(f"{running.address}/v1/models").status_code == 401
        assert httpx.get(f"{running.address}/v1/models", headers={"x-api-key": KEY}).status_code == 200
