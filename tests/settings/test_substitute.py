"""`${NAME}` and `${NAME:-default}`, as a shell reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import SettingsError
from app.settings.substitute import substitute

ENVIRON = {"NAME": "value", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("${NAME}", "value"),
        ("a ${NAME} b ${NAME}", "a value b value"),
        ("${NAME:-other}", "value"),
        ("${MISSING:-other}", "other"),
        ("${MISSING:-}", ""),
        ("${EMPTY}", ""),
        ("${EMPTY:-other}", "other"),
        ("${MISSING:-a:-b}", "a:-b"),
        ("$${NAME}", "${NAME}"),
        ("$NAME", "$NAME"),
        ("${", "${"),
        ("${1}", "${1}"),
    ],
)
def test_texts(text, expected):
    assert substitute(text, ENVIRON, "here")[0] == expected


def test_lists_and_tables_are_searched_too():
    assert substitute({"a": ["${NAME}", 1]}, ENVIRON, "here") == ({"a": ["value", 1]}, True)
    assert substitute({"a": [True, None]}, ENVIRON, "here") == ({"a": [True, None]}, False)


def test_what_a_variable_holds_is_not_searched_again():
    assert substitute("${A}", {"A": "${B}"}, "here")[0] == "${B}"


def test_a_variable_that_is_not_set_is_named():
    with pytest.raises(SettingsError, match=r"here refers to \$\{MISSING\}"):
        substitute("${MISSING}", ENVIRON, "here")


@given(st.text(alphabet="${}:-NAMEx \n\x00é", max_size=60), st.dictionaries(st.text(max_size=4), st.text(max_size=4)))
def test_garbage_is_a_text_or_a_settings_error(text, environ):
    try:
        found, changed = substitute(text, environ, "here")
    except SettingsError as error:
        assert "is not set" in str(error)
    else:
        assert isinstance(found, str)
        assert changed or found == text


@given(st.text(max_size=60))
def test_a_text_without_a_dollar_is_left_as_it_is(text):
    text = text.replace("$", "")
    assert substitute(text, ENVIRON, "here") == (text, False)
