"""Whatever stands in a header or a body, the gate's readers answer or refuse, and never fail."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.server.auth.claims import presented
from app.server.auth.needs import ADMIN, needed
from app.server.error_shapes import KINDS, kind_of, shape
from app.server.gate.bodies import BodyRules, check_headers, check_json, check_nesting
from app.server.gate.heads import Head
from app.server.gate.hosts import Hosts, Origins, parse_authority
from app.server.gate.refusals import MalformedRequestError, RefusalError
from app.server.log_lines import one_line

RULES = BodyRules(1000, 2000, 20, 1.0)
VALUES = st.binary(max_size=200)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=40,
)


def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(VALUES, VALUES)
def test_any_header_is_read_or_refused(one, other):
    for names in ((b"host", b"origin"), (b"authorization", b"x-api-key"), (b"content-length", b"content-encoding")):
        head = Head([(names[0], one), (names[1], other)])
        for check in (
            lambda head=head: Hosts(()).check(head, ("127.0.0.1", 8137)),
            lambda head=head: Origins(()).check(head, "127.0.0.1:8137"),
            lambda head=head: presented(head),
            lambda: check_headers([one], [other], RULES.most),
        ):
            with contextlib.suppress(RefusalError):
                check()


@given(
    st.lists(
        st.tuples(st.sampled_from([b"a", b"b", b"host"]), st.sampled_from([b"", b"5", b"x", b"value"])), max_size=9
    )
)
def test_a_head_finds_every_header_in_order_also_twice_the_same(headers):
    head = Head(headers)
    assert (head.count, head.size) == (len(headers), sum(len(name) + len(value) for name, value in headers))
    for name in (b"a", b"b", b"host", b"none"):
        found = [value for key, value in headers if key == name]
        assert head.all(name) == found and head.get(name) == (found[0] if found else None)


@given(st.text(max_size=300))
def test_only_our_own_address_is_answered_to(text):
    assert parse_authority(text) is None or text.strip()
    with contextlib.suppress(RefusalError):
        host = Hosts(()).check(Head([(b"host", text.encode("utf-8", "replace"))]), ("127.0.0.1", 8137))
        assert host in ("127.0.0.1:8137", "localhost:8137", "localhost.:8137", "[::ffff:127.0.0.1]:8137")


@given(JSON, st.integers(0, 12))
def test_the_depth_of_json_is_what_a_parser_finds(value, most):
    body = json.dumps(value).encode()
    check_json(body)
    if depth(value) > most:
        with pytest.raises(MalformedRequestError):
            check_nesting(body, most)
    else:
        check_nesting(body, most)


@given(st.binary(max_size=400))
def test_any_body_is_read_or_refused(body):
    for check in (lambda: check_nesting(body, 3), lambda: check_json(body)):
        with contextlib.suppress(MalformedRequestError):
            check()


@given(st.text(max_size=60), st.text(max_size=8))
def test_a_path_that_is_not_written_down_needs_everything(path, method):
    if not path.startswith(("/", "\\")):
        assert needed(method, path) == ADMIN


@given(st.text())
def test_a_log_line_is_one_line(text):
    assert len(one_line(text).splitlines()) <= 1


@given(st.text(max_size=40), st.sampled_from(sorted(KINDS)), st.sampled_from([None, 400, 404, 418, 429, 500, 503]))
def test_every_error_has_a_shape_at_every_path(path, code, status):
    kind = type("Made", (RefusalError,), {"code": code})
    error = kind("what happened", "what to do", retry_after_s=0.2)
    body, headers = shape(path, error, status)
    assert json.loads(body) and headers["content-type"] == "application/json"
    assert int(headers["content-length"]) == len(body) and headers["retry-after"] == "1"
    assert kind_of(error).status == KINDS[code].status
