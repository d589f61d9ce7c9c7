"""JSONPaths dropped and added."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.routing.rules.paths import Adding, BadPathError, Dropping, TooDeepError

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text("ab", max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from("abcd"), inner, max_size=4)),
    max_leaves=20,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), JSON, max_size=4)
PATHS = st.sampled_from(
    ["$.a", "$..a", "$.*", "$..*", "$.a[*]", "$.a[0,0,1]", "$.a[::-1]", "$['a','a']", "$..[0]", "$..[?@.a]", "$.a[-1]"]
)


def dropped(path, body):
    Dropping(path).apply(body)
    return body


def test_what_is_named_is_gone():
    body = {"a": [1, 2, 3, 4], "user": "me", "b": {"user": "you", "c": [{"user": 1}, 2]}}
    assert dropped("$..user", copy.deepcopy(body)) == {"a": [1, 2, 3, 4], "b": {"c": [{}, 2]}}
    assert dropped("$.a[0,2]", copy.deepcopy(body))["a"] == [2, 4]
    assert dropped("$.nothing[7].here", copy.deepcopy(body)) == body
    assert dropped("$.a[?@ > 2]", copy.deepcopy(body))["a"] == [1, 2]
    assert dropped("$.b[?match(@, 'y.u')]", copy.deepcopy(body))["b"] == {"c": [{"user": 1}, 2]}


@given(OBJECTS, PATHS)
def test_whatever_a_path_names_at_once_it_is_dropped_once(body, path):
    Dropping(path).apply(body)
    if path in ("$.a", "$.*", "$..*", "$..a", "$['a','a']"):
        again = copy.deepcopy(body)
        Dropping(path).apply(again)
        assert again == body


@pytest.mark.parametrize(
    ("path", "body", "given"),
    [
        ("$.team", {}, {"team": 7}),
        ("$.team", {"team": 1}, {"team": 7}),
        ("$.a[0]", {"a": [1, 2]}, {"a": [7, 1, 2]}),
        ("$.a[-1]", {"a": [1, 2]}, {"a": [1, 2, 7]}),
        ("$.a[-2]", {"a": [1, 2]}, {"a": [1, 7, 2]}),
        ("$.a[2]", {"a": [1, 2]}, {"a": [1, 2, 7]}),
        ("$.a[3]", {"a": [1, 2]}, {"a": [1, 2]}),
        ("$.a[1].b", {"a": [1, {}]}, {"a": [1, {"b": 7}]}),
        ("$.a.b", {"a": "text"}, {"a": "text"}),
        ("$.a[0]", {"a": {}}, {"a": {}}),
        ("$['a.b']", {}, {"a.b": 7}),
    ],
)
def test_a_value_is_put_in_one_place(path, body, given):
    Adding(path, 7).apply(body)
    assert body == given


def test_what_is_missing_on_the_way_is_made_for_requests_alone():
    body = {}
    Adding("$.metadata.team", "blue").apply(body)
    assert body == {}
    Adding("$.metadata.team", "blue").apply(body, create=True)
    assert body == {"metadata": {"team": "blue"}}


def test_every_body_gets_a_copy_of_its_own():
    adding, one, two = Adding("$.a", {"list": []}), {}, {}
    adding.apply(one)
    adding.apply(two)
    one["a"]["list"].append(1)
    assert two == {"a": {"list": []}}


@pytest.mark.parametrize("path", ["", "$", "user", "$.", "$[", "$..", "$.a[?nothing(@)]", "$.a[?@.b ==]", "$.a]"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(BadPathError):
        Dropping(path)


@pytest.mark.parametrize("path", ["$.*", "$..a", "$.a[0:2]", "$['a','b']", "$.a[?@.b]", "$"])
def test_a_value_goes_to_one_place_only(path):
    with pytest.raises(BadPathError):
        Adding(path, 1)


def test_what_is_not_json_is_refused():
    with pytest.raises(BadPathError, match="not JSON"):
        Adding("$.a", object())


def test_what_nests_too_deeply_is_said():
    body = {}
    here = body
    for _ in range(300):
        here["a"] = {}
        here = here["a"]
    with pytest.raises(TooDeepError):
        Dropping("$..b").apply(body)


def test_a_pattern_that_comes_with_the_data_is_no_danger():
    body = {
        "a": [
            {"text": "a" * 40 + "!", "pattern": "(a+)+$"},
            {"text": "b", "pattern": "("},
            {"text": "c", "pattern": "c"},
        ]
    }
    assert dropped("$.a[?search(@.text, @.pattern)]", body)["a"][-1]["text"] == "b"
