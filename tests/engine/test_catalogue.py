"""Catalogues: what ships is sound, a user's overrides it, and mistakes are named."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.engine.catalogues.catalogue import Catalogue, shipped
from app.engine.sources import source_of
from app.errors import CatalogueError, UnknownModelError


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "models.toml"

    def load(text):
        path.write_text(text)
        return Catalogue.load([shipped(), path])

    return load


def test_the_shipped_catalogue_is_sound():
    catalogue = Catalogue.load([shipped()])
    starter = catalogue.get("smollm2-135m")
    assert starter.sha256
    assert starter.size == 98_362_432
    assert {entry.role for entry in catalogue.entries} == {"chat", "embed", "transcribe"}
    assert len([entry for entry in catalogue.entries if entry.source.startswith("hf:")]) >= 12
    for entry in catalogue.entries:
        assert source_of(entry.source).file_name
        assert entry.licence
        assert entry.size


def test_an_own_catalogue_adds_models_and_overrides_single_fields(own):
    catalogue = own('[models.mine]\nsource = "https://example.org/mine.gguf"\n[models.smollm2-135m]\ncontext = 2048\n')
    assert catalogue.get("mine").role == "chat"
    starter = catalogue.get("smollm2-135m")
    assert starter.context == 2048
    assert starter.sha256


def test_a_catalogue_may_ban_tokens(own):
    catalogue = own("[models.smollm2-135m]\nsampling = { logit_bias = { 0 = -100, 2 = -100 } }\n")
    assert catalogue.get("smollm2-135m").sampling.logit_bias == {0: -100.0, 2: -100.0}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[models.x]\n", ("models.toml", "[models.x]", "source")),
        ('[models.x]\nsource = "ftp://x"\n', ("ftp://x", "https:")),
        ('[models.x]\nsource = "https://e.org/x"\nsha256 = "12"\n', ("sha256", "'12'", "64")),
        ('[models.x]\nsource = "https://e.org/x"\nsize = "big"\n', ("size", "int", "str")),
        ('[models.x]\nsource = "https://e.org/x"\nsiez = 1\n', ("siez",)),
        ('[models."../x"]\nsource = "https://e.org/x"\n', ("'../x'",)),
        (
            '[models.x]\nsource = "https://e.org/x"\nrole = "sing"\n',
            ("`role`: found 'sing'; expected 'chat' or 'embed' or",),
        ),
        ('[models.x]\nsource = "https://e.org/x"\n[models.x.also]\n"../y" = "https://e.org/y"\n', ("../y",)),
        ("[model.x]\n", ("'model'",)),
        ("models = 3\n", ("table",)),
        ("[models\n", ("TOML",)),
    ],
)
def test_a_mistake_names_file_key_and_found(own, text, words):
    with pytest.raises(CatalogueError) as caught:
        own(text)
    for word in words:
        assert word in str(caught.value)


def test_an_unknown_model_is_answered_with_what_is_spelt_alike():
    with pytest.raises(UnknownModelError, match="smollm2-135m"):
        Catalogue.load([shipped()]).get("smolm2-135m")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.one_of(
        st.binary(max_size=120), st.text(max_size=120).map(lambda t: b"[models.x]\n" + t.encode("utf-8", "replace"))
    )
)
def test_garbage_is_a_catalogue_error(tmp_path, raw):
    path = tmp_path / "garbage.toml"
    path.write_bytes(raw)
    try:
        Catalogue.load([path])
    except CatalogueError as error:
        assert "garbage.toml" in str(error)


@given(st.text(max_size=60), st.sampled_from(["wheel:", "hf:", "https:", "https://", "path:", "path:/", ""]))
def test_a_garbage_source_is_a_catalogue_error_or_a_plain_file_name(text, scheme):
    try:
        name = source_of(scheme + text).file_name
    except (CatalogueError, ValueError):
        return
    assert "/" not in name
