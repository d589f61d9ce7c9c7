"""Bytes of tokens become text: whole characters, nothing of a stop string, log-probabilities beside their text."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from app.engine.worker.text import TextAssembler
from app.messages import ChosenToken, TokenLogprob


def cut(raw: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(raw) + 1) for place in places), len(raw)]
    return [raw[start:end] for start, end in itertools.pairwise(edges)]


@given(st.text(), st.lists(st.integers(0, 1000), max_size=20))
def test_text_cut_into_tokens_anywhere_comes_out_whole(text, places):
    assembler = TextAssembler()
    pieces = [assembler.feed(token) for token in cut(text.encode("utf-8", "surrogatepass"), places)]
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert "".join(pieces) + assembler.finish() == text
        assert "�" in text or not any("�" in piece for piece in pieces)


@given(st.text("abSTOP\n", max_size=60), st.lists(st.integers(0, 1000), max_size=20))
def test_the_answer_ends_before_the_first_stop_string_wherever_tokens_end(text, places):
    assembler = TextAssembler(("STOP", "\n\n", ""))
    out = ""
    for token in cut(text.encode(), places):
        out += assembler.feed(token)
        if assembler.stopped:
            break
    out += assembler.finish()
    firsts = [at for stop in ("STOP", "\n\n") if (at := text.find(stop)) >= 0]
    assert out == text[: min(firsts)] if firsts else out == text


def test_what_might_begin_a_stop_string_is_held_back_until_it_is_known():
    assembler = TextAssembler(("<end>",))
    assert assembler.feed(b"so <e") == "so "
    assert assembler.feed(b"asy") == "<easy"


def test_bytes_that_are_no_text_are_shown_as_replacement_characters():
    assembler = TextAssembler()
    assert assembler.feed(b"a\xffb\xe2\x82") == "a�b"
    assert assembler.finish() == "�"


def test_log_probabilities_of_a_stop_string_are_not_given():
    assembler = TextAssembler(("END",))
    tokens = [ChosenToken(TokenLogprob(raw.decode(), raw, -1.0)) for raw in (b"a", b" E", b"ND")]
    given_out = []
    for token in tokens:
        assembler.feed(token.chosen.raw, token)
        given_out.extend(assembler.take_logprobs())
    assembler.finish()
    given_out.extend(assembler.take_logprobs())
    assert [token.chosen.token for token in given_out] == ["a", " E"]
