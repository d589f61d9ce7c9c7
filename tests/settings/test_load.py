"""Settings: priority, types, substitution, and mistakes that name file, key, found and expected."""

import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.errors import SettingsError
from app.settings import Folders, Settings, load_settings


@pytest.fixture
def folders(home):
    folders = Folders.find({"PLAYGROUND_HOME": str(home)})
    folders.make()
    return folders


def write(folders, text, suffix=".toml"):
    path = folders.config / f"playground{suffix}"
    path.write_text(text, "utf-8")
    return path


def test_without_a_file_everything_is_the_default(folders):
    loaded = load_settings(folders, {})
    assert loaded.settings == Settings()
    assert loaded.file is None
    assert {origin.kind for origin in loaded.origins.values()} == {"default"}


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".toml", "[engine]\ncontext = 4096\n"),
        (".yaml", "engine:\n  context: 4096\n"),
        (".yml", "engine: {context: 4096}\n"),
        (".json", '{"engine": {"context": 4096}}'),
    ],
)
def test_all_formats_say_the_same(folders, suffix, text):
    path = write(folders, text, suffix)
    loaded = load_settings(folders, {})
    assert loaded.settings.engine.context == 4096
    assert str(loaded.origins["engine.context"]) == str(path)


def test_the_environment_is_over_the_file_and_the_file_over_the_default(folders):
    write(folders, "[engine]\ncontext = 4096\nthreads = 3\n")
    loaded = load_settings(folders, {"PLAYGROUND_ENGINE__CONTEXT": "1024"})
    assert (loaded.settings.engine.context, loaded.settings.engine.threads) == (1024, 3)
    assert loaded.settings.engine.queue == Settings().engine.queue
    assert loaded.origins["engine.context"].kind == "environment"


@pytest.mark.parametrize("word", ["1", "true", "yes", "on", "True"])
def test_local_only_has_a_short_name(folders, word):
    assert load_settings(folders, {"PLAYGROUND_LOCAL_ONLY": word}).settings.privacy.local_only


def test_variables_are_substituted_and_take_the_type_of_the_setting(folders):
    write(folders, '[engine]\ncontext = "${SIZE:-2048}"\ndevice = "${DEVICE}"\n[models]\ndefault = "a$$b"\n')
    loaded = load_settings(folders, {"DEVICE": "cpu"}).settings
    assert (loaded.engine.context, loaded.engine.device, loaded.models.default) == (2048, "cpu", "a$b")


def test_a_text_where_a_number_belongs_is_refused_unless_it_was_substituted(folders):
    write(folders, '[engine]\ncontext = "4096"\n')
    with pytest.raises(SettingsError):
        load_settings(folders, {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[engine]\ncontext = "many"\n', ("playground.toml", "engine.context", "'many'", "whole number")),
        ("[engine]\nsequences = 0\n", ("engine.sequences", "0", "at least 1")),
        ("[engine]\ncontxt = 1\n", ("engine.contxt", "engine.context")),
        ("[engin]\n", ("engin", "engine")),
        ("engine = 3\n", ("engine", "3", "table")),
        ("[tui]\ndensity = 'wide'\n", ("tui.density", "'wide'", "'compact'")),
        ("[engine]\ndevice = '${NOT_THERE}'\n", ("engine.device", "NOT_THERE", "not set")),
        ("[engine\n", ("playground.toml", "TOML")),
    ],
)
def test_a_mistake_names_file_key_found_and_expected(folders, text, words):
    write(folders, text)
    with pytest.raises(SettingsError) as caught:
        load_settings(folders, {})
    for word in words:
        assert word in str(caught.value)


def test_a_large_limit_is_told_in_all_its_digits(folders):
    with pytest.raises(SettingsError, match="at least 0 and at most 16777216"):
        load_settings(folders, {"PLAYGROUND_ENGINE__CONTEXT": "much"})


def test_an_unknown_variable_of_ours_is_a_mistake_too(folders):
    with pytest.raises(SettingsError, match="PLAYGROUND_ENGINE__CONTXT"):
        load_settings(folders, {"PLAYGROUND_ENGINE__CONTXT": "1"})


def test_two_files_are_one_too_many(folders):
    write(folders, "")
    write(folders, "{}", ".json")
    with pytest.raises(SettingsError, match=r"playground\.json"):
        load_settings(folders, {})


def test_a_named_file_is_read_instead_and_must_be_there(folders, tmp_path):
    other = tmp_path / "mine.json"
    other.write_text(json.dumps({"engine": {"threads": 7}}))
    assert load_settings(folders, {"PLAYGROUND_CONFIG": str(other)}).settings.engine.threads == 7
    with pytest.raises(SettingsError, match=r"gone\.toml"):
        load_settings(folders, {"PLAYGROUND_CONFIG": str(tmp_path / "gone.toml")})


def test_without_a_home_the_platform_says_where(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    found = Folders.find({})
    assert "playground" in str(found.config)
    assert found.models == found.data / "models"


def test_folders_are_closed_to_others(folders):
    for folder in (folders.config, folders.data, folders.models, folders.cache, folders.logs):
        assert folder.stat().st_mode & 0o077 == 0


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    raw=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)),
    suffix=st.sampled_from([".toml", ".yaml", ".json"]),
)
def test_garbage_is_a_settings_error_or_nothing(folders, raw, suffix):
    path = folders.config / f"playground{suffix}"
    path.write_bytes(raw)
    try:
        load_settings(folders, {})
    except SettingsError as error:
        assert path.name in str(error)
    finally:
        path.unlink()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    section=st.sampled_from(["engine", "tui", "models", "privacy"]),
    key=st.sampled_from(["context", "keys", "default", "catalogues", "local_only", "x"]),
    value=json_values,
)
def test_well_formed_nonsense_is_a_settings_error_or_a_valid_setting(folders, section, key, value):
    path = folders.config / "playground.json"
    path.write_text(json.dumps({section: {key: value}}))
    try:
        assert isinstance(load_settings(folders, {}).settings, Settings)
    except SettingsError as error:
        assert f"{section}.{key}" in str(error)
    finally:
        path.unlink()
