"""What is left out of a request when a conversation is longer than the model's window."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.chat import Conversation, Exchange, LeftOut, Outgoing
from app.chat.window import left_out
from app.errors import ContextOverflowError
from app.messages import ChatRequest, Finished, Message, Node, Started, TextDelta, Usage

WINDOW = 2000


def turns(count: int, length: int = 100) -> list[Node]:
    """Questions and answers in turn, the last one a question; ``length`` in words of five letters."""
    nodes: list[Node] = []
    for place in range(2 * count - 1):
        text = "words " * length
        message = Message.assistant(text) if place % 2 else Message.user(text)
        nodes.append(Node(id=str(place), parent_id=str(place - 1) if place else None, message=message))
    return nodes


def kept(path: list[Node], out: frozenset[str]) -> list[str]:
    return [node.id for node in path if node.id not in out]


def test_what_fits_is_sent_whole():
    assert left_out(turns(3), "", WINDOW) == frozenset()


def test_a_window_that_is_not_known_leaves_nothing_out():
    assert left_out(turns(100), "", 0) == frozenset()


def test_the_oldest_turns_go_and_the_last_question_stays():
    path = turns(40)
    remaining = kept(path, left_out(path, "", WINDOW))
    assert remaining == [node.id for node in path[-len(remaining) :]]
    assert path[int(remaining[0])].message.role == "user"


def test_the_last_question_stays_though_it_is_too_long_alone():
    path = turns(5, length=5000)
    assert kept(path, left_out(path, "", WINDOW)) == [path[-1].id]


def test_instructions_take_room_from_the_turns():
    path = turns(12)
    assert len(left_out(path, "Be brief. " * 400, WINDOW)) > len(left_out(path, "", WINDOW))


def test_what_is_left_out_stays_so_for_many_turns_and_then_goes_in_one_step():
    # Each change of where the prompt begins costs the whole KV cache.
    path = turns(60, length=20)
    out: frozenset[str] = frozenset()
    changes = 0
    for end in range(1, len(path) + 1, 2):
        now = left_out(path[:end], "", WINDOW, already=out)
        assert now >= out
        changes += now != out
        out = now
    assert 1 <= changes <= 8  # in 60 turns


def test_what_earlier_answers_cost_puts_the_estimate_right():
    path = turns(12)
    heavy = [node if node.id != "5" else with_usage(node, 1400) for node in path]
    light = [node if node.id != "5" else with_usage(node, 500) for node in path]
    assert len(left_out(heavy, "", WINDOW)) > len(left_out(light, "", WINDOW))


def with_usage(node: Node, prompt: int) -> Node:
    return Node(id=node.id, parent_id=node.parent_id, message=node.message, usage=Usage(prompt, 10))


def test_a_prompt_that_was_shortened_itself_does_not_make_the_rest_look_short():
    path = turns(40)
    out = left_out(path, "", WINDOW)
    answered = kept(path, out)[1]  # an answer to a prompt that began at what is kept
    counted = [with_usage(node, 180) if node.id == answered else node for node in path]
    assert left_out(counted, "", WINDOW, already=out) == out


@given(
    lengths=st.lists(st.integers(0, 3000), min_size=1, max_size=40),
    window=st.integers(0, 9000),
    system=st.integers(0, 500),
    tightness=st.sampled_from((1.0, 1.5, 2.25)),
    data=st.data(),
)
def test_a_request_always_ends_with_the_question_and_begins_with_one(lengths, window, system, tightness, data):
    path = [
        Node(id=str(n), parent_id=None, message=Message.assistant("é" * size) if n % 2 else Message.user("x" * size))
        for n, size in enumerate(lengths)
    ]
    already = frozenset(str(n) for n in range(data.draw(st.integers(0, len(lengths) - 1))))
    out = left_out(path, "s" * system, window, already=already, tightness=tightness)
    remaining = kept(path, out)
    assert remaining and remaining[-1] == path[-1].id
    assert remaining == [node.id for node in path[-len(remaining) :]]
    assert out >= already
    if window and len(remaining) > 1 and out != already:
        assert path[int(remaining[0])].message.role == "user"


class Small:
    """A model with a window of so many letters, which says so only when it is asked."""

    def __init__(self, letters: int) -> None:
        self.letters = letters
        self.asked: list[ChatRequest] = []

    async def stream(self, request):
        self.asked.append(request)
        if sum(len(message.text) for message in request.messages) > self.letters:
            raise ContextOverflowError("Too long.")
        yield Started(request.model, "script")
        yield TextDelta("yes")
        yield Finished("stop")


async def test_a_model_that_finds_it_too_long_after_all_is_asked_with_less_and_the_system_prompt_stays():
    conversation = Conversation(turns(12), "Be brief.")
    small = Small(3000)
    exchange = Exchange(Outgoing(conversation, "m", window=WINDOW), small)
    events = [event async for event in exchange.run(conversation.path()[-1].id)]
    assert conversation.path()[-1].message.text == "yes"
    assert len(small.asked) > 1
    assert all(request.messages[0] == Message.system("Be brief.") for request in small.asked)
    counts = [event.messages for event in events if isinstance(event, LeftOut)]
    assert counts == sorted(counts) and counts[-1] == len(exchange.left_out) > 0
    assert len(conversation) == 24  # nothing is taken from the conversation itself


async def test_a_single_question_that_is_too_long_is_an_error_and_not_cut():
    conversation = Conversation()
    question = conversation.append(Message.user("x" * 50_000))
    small = Small(1000)
    async for _ in Exchange(Outgoing(conversation, "m", window=WINDOW), small).run(question.id):
        pass
    last = conversation.path()[-1]
    assert last.status == "failed" and last.error is not None and last.error.code == "context_overflow"
    assert len(small.asked) == 1
