"""What the catalogue files say of remote models: read whole, or refused with the file, the table and the field."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.catalogues.catalogue import Catalogue, shipped
from app.engine.catalogues.files import CatalogueFile
from app.errors import CatalogueError
from app.routing.catalogue.remote_models import Price, RemoteCatalogue, ReplicaTable

from .scripted import catalogue, endpoint

LOCAL = {"small": True, "vectors": False}
FULL = """
[endpoints.openai]
kind = "openai"
url = "https://api.openai.example/v1/"
key = "env:OPENAI_API_KEY"
[endpoints.openai.headers]
force = { x-team = "blue" }
[[endpoints.openai.transforms]]
on = "request"
drop = "$.user"

[endpoints.near]
kind = "ollama"
url = "http://localhost:11434"

[remote."gpt-4.1/mini:latest"]
endpoint = "openai"
model = "gpt-4.1-mini"
aliases = ["mini", "org/mini:1"]
fallback = ["both", "small"]
context = 400000
price = { input = 0.25, output = 2.0, cached = 0.025 }
description = "Quick."
vision = true

[remote.both]
replicas = [{ endpoint = "openai", weight = 3, model = "x" }, { endpoint = "near" }]
choose = "weighted"
"""


def refused(toml: str) -> str:
    with pytest.raises(CatalogueError) as caught:
        RemoteCatalogue.of([CatalogueFile(Path("my/models.toml"), tomllib.loads(toml))], LOCAL)
    assert caught.value.message.startswith("my/models.toml: [")
    assert caught.value.remedy == "Correct the file."
    return caught.value.message


def test_everything_that_can_be_said():
    found = catalogue(FULL, small=True)
    mini = found.models["gpt-4.1/mini:latest"]
    assert mini.price == Price(input=0.25, output=2.0, cached=0.025) and mini.vision and mini.context == 400000
    assert mini.places() == (ReplicaTable(endpoint="openai", model="gpt-4.1-mini"),)
    assert found.models["both"].places() == (
        ReplicaTable(endpoint="openai", weight=3, model="x"),
        ReplicaTable(endpoint="near", model="both"),
    )
    assert found.chains == {"gpt-4.1/mini:latest": ("gpt-4.1/mini:latest", "both", "small"), "both": ("both",)}
    assert found.canonical("mini") == found.canonical("org/mini:1") == "gpt-4.1/mini:latest"
    assert found.canonical("small") is None
    openai = found.endpoints["openai"]
    assert openai.url == "https://api.openai.example/v1" and openai.headers.force == {"x-team": "blue"}
    assert openai.transforms[0].drop == "$.user"
    assert found.warnings == ()


def test_the_models_of_this_machine_are_read_beside_them(tmp_path):
    own = tmp_path / "models.toml"
    own.write_text(FULL + '[models.mine]\nsource = "path:/x.gguf"\n')
    assert [entry.name for entry in Catalogue.load([own]).entries] == ["mine"]


def test_a_later_file_adds_and_overrides():
    first = CatalogueFile(Path("a"), tomllib.loads(endpoint("x") + '[remote.m]\nendpoint = "x"\ncontext = 5\n'))
    second = CatalogueFile(
        Path("b"), {"endpoints": {"x": {"connect_s": 1}}, "remote": {"m": {"model": "n"}, "k": {"endpoint": "x"}}}
    )
    found = RemoteCatalogue.of([first, second])
    assert found.endpoints["x"].connect_s == 1 and found.endpoints["x"].url == "https://x.example/v1"
    assert found.models["m"].context == 5 and found.models["m"].model == "n"
    assert list(found.models) == ["m", "k"]
    with pytest.raises(CatalogueError, match=r"^c: \[remote\.m\]: "):
        RemoteCatalogue.of([first, CatalogueFile(Path("c"), {"remote": {"m": {"endpoint": "nowhere"}}})])


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ('[remote.m]\nendpoint = "opnai"', "[remote.m]: `endpoint` is 'opnai', which is no endpoint; expected openai"),
        ("[remote.m]", "neither `endpoint` nor `replicas` is given; expected one of them"),
        ('[remote.m]\nendpoint = "openai"\nreplicas = [{ endpoint = "openai" }]', "both `endpoint` and `replicas`"),
        (
            '[remote.m]\nreplicas = [{ endpoint = "openai", weight = 0 }]',
            "`replicas[0].weight` is 0; expected a number",
        ),
        ('[remote.m]\nreplicas = [{ endpoint = "openai", weight = -2 }]', "`replicas[0].weight` is -2"),
        ('[remote.m]\nreplicas = [{ endpoint = "openai", weight = nan }]', "`replicas[0].weight` is nan"),
        ('[remote.m]\nreplicas = [{ endpoint = "x" }]', "`replicas[0].endpoint` is 'x', which is no endpoint"),
        ('[remote.m]\nendpoint = "openai"\ncontext = "8k"', "`context`: expected `int`, got `str`"),
        ('[remote.m]\nendpoint = "openai"\nprice = { input = -1 }', "`price.input`: expected `float` >= 0"),
        ('[remote.m]\nendpoint = "openai"\nfoo = 1', "object contains unknown field `foo`"),
        ('[remote.m]\nendpoint = "openai"\nname = "x"', "`name` is no field of it"),
        (
            '[remote.m]\nendpoint = "openai"\nchoose = "best"',
            "`choose`: found 'best'; expected 'least-loaded' or 'weighted'",
        ),
        ('[remote."a b"]\nendpoint = "openai"', "the name 'a b' is not 1 to 200 of letters, digits"),
        ('[remote.m]\nendpoint = "openai"\naliases = [""]', "the alias '' is not 1 to 200"),
        ('[remote.small]\nendpoint = "openai"', "a model on this machine has this name; expected another"),
        ('[remote.m]\nendpoint = "openai"\naliases = ["small"]', "the alias 'small' is a model on this machine"),
        (
            '[remote.m]\nendpoint = "openai"\naliases = ["n"]\n[remote."n"]\nendpoint = "openai"',
            "the alias 'n' is already a name of [remote.n]",
        ),
        (
            '[remote.m]\nendpoint = "openai"\naliases = ["q"]\n[remote."n.1"]\nendpoint = "openai"\naliases = ["q"]',
            "[remote.\"n.1\"]: the alias 'q' is already a name of [remote.m]",
        ),
        (
            '[remote.m]\nendpoint = "openai"\nfallback = ["smal"]',
            "`fallback` names 'smal', which is no model; expected small",
        ),
        ('[remote.m]\nendpoint = "openai"\nfallback = ["vectors"]', "`fallback` names 'vectors', which does not chat"),
        ('[remote.m]\nendpoint = "openai"\nfallback = ["m"]', "leads back to where it began: m → m; expected an end"),
        (
            '[remote.m]\nendpoint = "openai"\nfallback = ["small", "other"]\n'
            '[remote.n]\nendpoint = "openai"\naliases = ["other"]\nfallback = ["m"]',
            "`fallback` leads back to where it began: m → n → m",
        ),
    ],
)
def test_a_model_that_cannot_be_is_refused(toml, problem):
    assert problem in refused(endpoint("openai") + toml)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"kind": "opnai"}, "`kind` is 'opnai'; expected openai, anthropic, ollama or openai-compatible"),
        (
            {"url": "api.openai.com/v1"},
            "`url` 'api.openai.com/v1' has no scheme or no host; expected https://HOST/PATH",
        ),
        ({"url": "ftp://x/v1"}, "`url` 'ftp://x/v1' has no scheme or no host"),
        ({"url": "https:///v1"}, "`url` 'https:///v1' has no scheme or no host"),
        ({"url": "https://x:port/v1"}, "has no scheme or no host"),
        ({"url": "https://a b/v1"}, "has no scheme or no host"),
        ({"url": ""}, "`url` is missing"),
        ({"url": "http://192.168.1.5:11434"}, "`url` is http:// to 192.168.1.5, so prompts and keys could be read"),
        ({"url": "http://localhost.evil.example/v1"}, "`url` is http:// to localhost.evil.example"),
        ({"connect_s": "soon"}, "`connect_s`: expected `float`, got `str`"),
        ({"connect_s": 0}, "`connect_s`: expected `float` > 0"),
        ({"retries": 99}, "`retries`: expected `int` <= 10"),
        ({"colour": "red"}, "object contains unknown field `colour`"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(fields, problem):
    message = refused(endpoint("openai", **fields))
    assert message.startswith("my/models.toml: [endpoints.openai]: ")
    assert problem in message


@pytest.mark.parametrize("name", ["Open AI", "", "local", "cache"])
def test_an_endpoint_needs_a_usable_name(name):
    message = refused(f'[endpoints."{name}"]\nkind = "openai"\nurl = "https://x/v1"')
    assert "the name" in message


@pytest.mark.parametrize(
    "fields",
    [
        {"key": "sk-proj-SECRET0123456789"},
        {"key": "env:sk-SECRET0123456789"},
        {"key": "vault:sk-SECRET0123456789abc"},
        {"key": "keyring:ghp_SECRET0123456789abc"},
        {"key": "Bearer SECRET0123456789"},
        {"key": "env: SECRET0123456789"},
        {"url": "https://user:SECRET0123456789@x.example/v1"},
        {"url": "https://x.example/v1?api_key=SECRET0123456789"},
        {"url": "https://x.example/v1#SECRET0123456789"},
        {"url": "x://user:SECRET0123456789@x.example/v1"},
    ],
)
def test_a_secret_in_the_file_is_refused_and_never_shown(fields):
    with pytest.raises(CatalogueError) as caught:
        catalogue(endpoint("openai", **fields))
    error: BaseException | None = caught.value
    while error is not None:
        assert "SECRET" not in str(error) + repr(error)
        error = error.__cause__ or error.__context__
    assert re.search(r"`(key|url)`", caught.value.message)


def test_keys_are_references():
    for key in ("", "env:OPENAI_API_KEY", "keyring:openai", "vault:work/openai", "vault:openai"):
        assert catalogue(endpoint("openai", key=key)).endpoints["openai"].key == key


def test_what_is_sent_in_the_clear_needs_a_word_and_is_told():
    found = catalogue(
        endpoint("lan", url="http://192.168.1.5:11434", verify=False) + endpoint("bad", verify=False) + endpoint("good")
    )
    assert found.warnings == (
        "Everything that goes to lan can be read on the way: its address begins with http://.",
        "The certificate of bad is not checked: whoever is in between can read along.",
    )


def test_chains_are_followed_through_and_each_is_asked_once():
    model = '[remote.{}]\nendpoint = "x"\nfallback = {}\n'
    found = catalogue(
        endpoint("x")
        + model.format("a", ["b", "c"])
        + model.format("b", ["d", "small"])
        + model.format("c", ["d"])
        + model.format("d", []),
        small=True,
    )
    assert found.chains["a"] == ("a", "b", "d", "small", "c")


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["x", "m", "small"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = st.sampled_from(
    [
        "endpoint",
        "replicas",
        "model",
        "aliases",
        "fallback",
        "context",
        "price",
        "choose",
        "kind",
        "url",
        "key",
        "headers",
    ]
)


@given(
    st.dictionaries(_FIELDS, _VALUES, max_size=5), st.dictionaries(_FIELDS, _VALUES, max_size=5), st.text(max_size=8)
)
def test_anything_is_read_or_refused_by_a_sentence(model, fields, name):
    tables = {"endpoints": {"x": {"kind": "openai", "url": "https://x/v1", **fields}}, "remote": {name: model}}
    try:
        RemoteCatalogue.of([CatalogueFile(Path("f"), tables)], LOCAL)
    except CatalogueError as error:
        assert error.message.startswith("f: [")


def test_the_shipped_examples_are_right_and_none_is_set_up():
    text = shipped().read_text()
    assert not CatalogueFile.read(shipped()).of("endpoints") and not CatalogueFile.read(shipped()).of("remote")
    begin = text.index("# [endpoints.openai]")
    examples = re.sub(r"^# ?", "", text[begin:], flags=re.MULTILINE)
    entries = Catalogue.load([shipped()]).entries
    found = RemoteCatalogue.of(
        [CatalogueFile(Path("examples"), tomllib.loads(examples))],
        {entry.name: entry.role == "chat" for entry in entries},
    )
    assert len(found.endpoints) == 5 and len(found.models) == 4 and found.warnings == ()
    assert found.chains["gpt-5-mini"] == ("gpt-5-mini", "claude", "smollm2-135m")
