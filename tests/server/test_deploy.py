"""The files for running the server elsewhere are about the server as it is."""

import asyncio
import json
import re
import tomllib
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from app.settings import Folders, load_settings

from .whole import MODEL, whole_server

TOP = Path(__file__).parents[2]
DEPLOY = TOP / "scripts" / "deploy"
CONTAINERFILES = (DEPLOY / "Containerfile", DEPLOY / "Containerfile.cuda")
_WORDS = {"sum", "by", "rate", "le", "histogram_quantile", "model", "route", "status", "protocol", "code", "outcome"}


def instructions(path):
    """A container file as (word, rest) pairs, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]


def expressions():
    board = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
    return [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel["targets"]]


@pytest.fixture(scope="module")
def scrape(tmp_path_factory):
    """The names of samples that a server tells after it has been used, and their labels."""
    with whole_server(tmp_path_factory.mktemp("deploy")) as running, httpx.Client(base_url=running.address) as http:
        http.post("/v1/chat/completions", json={"model": MODEL, "messages": [{"role": "user", "content": "?"}]})
        http.get("/nowhere")
        running.services.pool.models = [asyncio.run(running.services.pool.load(MODEL))]
        families = text_string_to_metric_families(http.get("/metrics").text)
        found = {}
        for family in families:
            found.setdefault(f"{family.name}_total" if family.type == "counter" else family.name, set())
            for sample in family.samples:
                found.setdefault(sample.name, set()).update(sample.labels)
        return found


@pytest.mark.parametrize(("title", "expression"), expressions())
def test_every_panel_draws_what_the_server_tells(scrape, title, expression):
    plain = re.sub(r"\[\$__rate_interval\]|\[[0-9a-z]+\]", "", expression)
    names = set(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", plain)) - _WORDS
    assert names, title
    assert names <= set(scrape), names - set(scrape)
    # Sums are by labels that the metric has. Counters without labels but for one that has not been used have none yet.
    for labels in re.findall(r"by \(([^)]*)\)", plain):
        for label in labels.split(","):
            assert any(label.strip() in scrape[name] or not scrape[name] for name in names), (title, label)


def test_every_metric_of_ours_is_on_the_dashboard_or_says_who_we_are(scrape):
    drawn = " ".join(expression for _, expression in expressions())
    ours = {re.sub(r"_(bucket|count|sum)$", "", name) for name in scrape if name.startswith("playground_")}
    left = {name for name in ours if name not in drawn}
    assert left <= {"playground_build_info", "playground_model_context_tokens"}


def test_panels_do_not_lie_upon_each_other():
    board = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
    taken = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@pytest.mark.parametrize("path", CONTAINERFILES, ids=lambda path: path.name)
def test_what_is_copied_into_a_container_exists(path):
    copied = [rest.split() for word, rest in instructions(path) if word == "COPY" and "--from" not in rest]
    assert copied
    for *sources, _to in copied:
        for source in sources:
            assert (TOP / source).exists(), source
    # All that the package is built from is there.
    project = tomllib.loads((TOP / "pyproject.toml").read_text())
    sources = {source for *some, _to in copied for source in some}
    needed = {project["project"]["readme"], *project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]}
    assert needed | {"app", "LICENSE", "pyproject.toml", "scripts/constraints"} <= sources


@pytest.mark.parametrize("path", CONTAINERFILES, ids=lambda path: path.name)
def test_a_container_serves_as_nobody_special(path):
    found = instructions(path)
    assert {word for word, _ in found} <= {
        "FROM", "RUN", "WORKDIR", "COPY", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT",
        "CMD",
    }  # fmt: skip
    last = dict(found)
    assert last["USER"] == "playground"
    assert json.loads(last["ENTRYPOINT"]) == ["/opt/playground/.venv/bin/playground"]
    assert json.loads(last["CMD"]) == ["serve", "--host", "0.0.0.0"]
    assert last["EXPOSE"] == "8137"
    assert "API_KEY" not in " ".join(rest for _, rest in found)
    json.loads(last["HEALTHCHECK"].split("CMD", 1)[1])


def test_the_composition_fits_together(tmp_path):
    compose = yaml.safe_load((DEPLOY / "compose.yml").read_text())
    server = compose["services"]["playground"]
    # Its variables are settings that exist.
    environ = {name: str(value) for name, value in server["environment"].items() if "__" in name}
    environ["PLAYGROUND_HOME"] = str(tmp_path)
    settings = load_settings(Folders.find(environ), environ).settings
    assert settings.observability.metrics == "key"
    assert settings.access.hosts == ("playground", "localhost", "127.0.0.1")
    assert "PLAYGROUND_API_KEYS" in server["environment"]
    assert all(
        port.startswith("127.0.0.1:")
        for service in ("playground", "grafana")
        for port in compose["services"][service]["ports"]
    )
    # What is mounted exists.
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in compose["volumes"], source
        assert set(service.get("secrets", ())) <= set(compose["secrets"])
    build = server["build"]
    assert (DEPLOY / build["context"]).resolve() == TOP
    assert (TOP / re.search(r":-([^}]+)}", build["dockerfile"])[1]).is_file()


def test_prometheus_asks_where_the_server_answers():
    asked = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    (job,) = asked["scrape_configs"]
    assert job["metrics_path"] == "/metrics"
    assert job["static_configs"] == [{"targets": ["playground:8137"]}]
    assert job["authorization"]["credentials_file"] == "/run/secrets/playground_key"
    for name in ("datasource.yml", "dashboards.yml"):
        assert yaml.safe_load((DEPLOY / "grafana" / name).read_text())["apiVersion"] == 1


def test_no_registry_is_named():
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            assert not re.search(
                r"(docker\.io|ghcr\.io|nvcr\.io|pypi\.org|quay\.io|huggingface\.co)", path.read_text()
            ), path
