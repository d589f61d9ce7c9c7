"""Which headers go on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.backends.endpoint import HeaderRules
from app.backends.header_rules import CREDENTIALS, OF_THE_CONNECTION
from app.errors import InvalidRequestError
from app.routing.rules.headers import BadHeaderError, HeaderChoice

CLIENT = {"User-Agent": "editor/1", "X-Team": "red", "X-Trace": "7", "Authorization": "Bearer abc", "Cookie": "a=b"}


def going(headers=CLIENT, environ=None, **rules):
    return HeaderChoice(HeaderRules(**rules), environ or {}).apply(headers)


def test_each_mode():
    assert going() == {}
    assert going(names=("x-team",)) == {"x-team": "red"}
    assert going(mode="blacklist", names=("X-Trace",)) == {"user-agent": "editor/1", "x-team": "red"}
    assert going(mode="passthrough") == {"user-agent": "editor/1", "x-team": "red", "x-trace": "7"}


def test_force_add_and_drop_in_this_order():
    rules = {"mode": "passthrough", "force": {"X-Team": "blue", "x-b": "1"}, "add": {"x-trace": "0", "x-new": "1"}}
    assert going(**rules, drop=("User-Agent", "x-b")) == {"x-team": "blue", "x-trace": "7", "x-new": "1"}


@given(
    st.sampled_from(["whitelist", "blacklist"]),
    st.lists(st.sampled_from(sorted(OF_THE_CONNECTION | CREDENTIALS | {"x-other"}))),
    st.sampled_from(sorted(OF_THE_CONNECTION | CREDENTIALS)),
)
def test_what_is_the_clients_own_never_goes_on(mode, names, header):
    assert not set(going({header.title(): "secret", "x-other": "1"}, mode=mode, names=tuple(names))) - {"x-other"}
    assert header not in going({header.upper(): "secret"}, mode="passthrough")


def test_what_the_connection_header_names_stays_here():
    headers = {"Connection": "close, X-Hop", "X-Hop": "1", "X-On": "1", "Proxy-Anything": "1", "x-my-token": "1"}
    assert going(headers, mode="passthrough") == {"x-on": "1"}
    assert going(headers, names=("x-hop", "x-my-token")) == {"x-my-token": "1"}


def test_where_the_client_is_goes_on_only_by_name():
    headers = {"X-Forwarded-For": "10.0.0.7", "Referer": "https://a"}
    assert going(headers, mode="passthrough") == {}
    assert going(headers, names=("x-forwarded-for",)) == {"x-forwarded-for": "10.0.0.7"}


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "a\0b", "a\x7f", " xyz", "a\u2028b", "é🙂"])
def test_what_could_be_read_as_two_headers_is_refused(value):
    with pytest.raises(InvalidRequestError) as refused:
        going({"x-team": value}, names=("x-team",))
    assert value not in str(refused.value)
    for what in ("force", "add"):
        with pytest.raises(BadHeaderError) as bad:
            going(environ={"VALUE": value}, **{what: {"x-team": "${VALUE}"}})
        assert value not in str(bad.value)


@pytest.mark.parametrize("name", ["", "x team", "x:team", "x-tëam", "x\r\ny", ":authority"])
def test_what_is_no_name_is_refused(name):
    for rules in ({"names": (name,)}, {"drop": (name,)}, {"force": {name: "1"}}, {"add": {name: "1"}}):
        with pytest.raises(BadHeaderError):
            going(**rules)
    assert name.lower() not in going({name: "1"}, names=("x-team",))


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "connection", "Proxy-Authorization"])
def test_what_belongs_to_the_connection_cannot_be_set(name):
    with pytest.raises(BadHeaderError, match="belongs to the connection"):
        going(force={name: "1"})


def test_values_from_the_environment_are_found_and_never_shown():
    rules = HeaderRules(force={"x-gateway": "Key ${GATEWAY_KEY}"}, add={"x-a": "${NOT_SET:-plain}"})
    choice = HeaderChoice(rules, {"GATEWAY_KEY": "planted-secret"})
    assert choice.apply({}) == {"x-gateway": "Key planted-secret", "x-a": "plain"}
    assert "planted-secret" in choice.secrets
    assert "planted" not in f"{choice!r} {choice}"


def test_a_variable_that_is_not_set_is_named():
    with pytest.raises(BadHeaderError, match="GATEWAY_KEY"):
        going(force={"x-gateway": "${GATEWAY_KEY}"})
