"""Chat templates: what they give, what they refuse, and what they cannot do to us."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import TemplateError

from app.engine.worker.sandbox import ChatSandbox, TemplateLimitError
from app.engine.worker.template import CHATML, ChatTemplate, begins_thinking
from app.errors import InvalidRequestError
from app.messages import Image, Message, Text, Thinking, Tool, ToolCall, ToolResult

SMOL = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are helpful<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
STRICT = (
    "{{ bos_token }}"
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant') }}{% endif %}"
    "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
    "{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}"
)
HELLO = (Message.user("Hello"),)


def chosen(source: str | None) -> ChatTemplate:
    return ChatTemplate.choose(source, None, "<s>", "</s>")[0]


def test_a_good_template_is_used_without_a_word() -> None:
    template, warnings = ChatTemplate.choose(SMOL, None, "<s>", "</s>")
    assert warnings == ()
    assert template.render((Message.system("Be brief."), *HELLO)) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    )


def test_the_catalogue_overrides_the_file() -> None:
    template, warnings = ChatTemplate.choose(SMOL, CHATML, "", "")
    assert template.source == CHATML
    assert warnings == ()


@pytest.mark.parametrize(
    "broken",
    [
        "{% for %}",
        "{{ 1 / 0 }}",
        "{{ nothing.at.all }}",
        "constant",
        "{% if x %}",
        "{{ raise_exception('no') }}",
        "(" * 9,
    ],
)
def test_a_template_that_fails_gives_way_to_chatml_and_says_so(broken: str) -> None:
    template, warnings = ChatTemplate.choose(broken, None, "", "")
    assert template.source == CHATML
    assert len(warnings) == 2
    assert "ChatML" in warnings[1]


def test_a_failing_override_gives_way_to_the_file() -> None:
    template, warnings = ChatTemplate.choose(SMOL, "{{ 1 / 0 }}", "", "")
    assert template.source == SMOL
    assert len(warnings) == 1


def test_no_template_is_chatml_with_a_warning() -> None:
    template, warnings = ChatTemplate.choose(None, None, "", "")
    assert template.render(HELLO) == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    assert len(warnings) == 2


def test_a_system_prompt_goes_into_the_first_question_where_it_is_refused() -> None:
    template, warnings = ChatTemplate.choose(STRICT, None, "<s>", "</s>")
    assert len(warnings) == 1
    assert "system prompt" in warnings[0]
    rendered = template.render((Message.system("Be brief."), *HELLO))
    assert rendered == "<s><start_of_turn>user\nBe brief.\n\nHello<end_of_turn>\n<start_of_turn>model\n"


def test_a_system_prompt_is_folded_where_it_would_be_dropped_in_silence() -> None:
    template, warnings = ChatTemplate.choose(MISTRAL, None, "<s>", "</s>")
    assert len(warnings) == 1
    assert "Be brief." in template.render((Message.system("Be brief."), *HELLO))


def test_two_questions_in_a_row_are_joined_where_roles_must_alternate() -> None:
    rendered = chosen(STRICT).render((Message.user("One"), Message.user("Two")))
    assert "One\n\nTwo" in rendered


def test_a_conversation_that_a_template_refuses_is_a_typed_error() -> None:
    with pytest.raises(InvalidRequestError, match="must alternate"):
        chosen(STRICT).render((Message.assistant("I begin."), *HELLO, Message("tool", (ToolResult("1", "x"),))))


def test_an_answer_at_the_end_is_left_open() -> None:
    for source in (SMOL, STRICT):
        rendered = chosen(source).render((*HELLO, Message.assistant("Once upon a ")))
        assert rendered == chosen(source).render(HELLO) + "Once upon a "


def test_an_answer_at_the_end_is_left_open_without_a_generation_prompt() -> None:
    rendered = chosen(MISTRAL).render((*HELLO, Message.assistant("im")))
    assert rendered == "<s>[INST] Hello [/INST] im"


def test_thinking_is_taken_up_again_when_an_answer_goes_on() -> None:
    rendered = chosen(SMOL).render((*HELLO, Message.assistant("So", thinking="Hm.")))
    assert rendered.endswith("assistant\n<think>\nHm.\n</think>\n\nSo")


def test_text_parts_are_joined_and_images_refused() -> None:
    assert "one two" in chosen(SMOL).render((Message("user", (Text("one "), Text("two"))),))
    with pytest.raises(InvalidRequestError, match="images"):
        chosen(SMOL).render((Message("user", (Text("what?"), Image("image/png", data=b"x"))),))


def test_a_template_of_a_vision_model_gets_parts() -> None:
    source = (
        "{% for message in messages %}{{ message.role }}:{% for part in message.content %}"
        "{% if part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %};{% endfor %}"
    )
    template, warnings = ChatTemplate.choose(source, None, "", "")
    assert warnings == ()
    assert template.render(HELLO) == "user:Hello;"


TOOLED = SMOL + (
    "{% if tools %}{{ tools | tojson }}{% endif %}"
    "{% for message in messages if message.tool_calls %}{{ message.tool_calls | tojson }}{% endfor %}"
)


def test_tools_calls_and_results_read_as_templates_expect() -> None:
    tool = Tool("weather", "Tells the <weather>", {"type": "object"})
    call = Message("assistant", (ToolCall("c1", "weather", '{"city": "Köln"}'),))
    rendered = chosen(TOOLED).render((*HELLO, call, Message("tool", (ToolResult("c1", "rain"),))), (tool,))
    assert '"description": "Tells the <weather>"' in rendered
    assert '"arguments": {"city": "Köln"}' in rendered
    assert "<|im_start|>tool\nrain" in rendered


WEATHER = Tool("weather", "Tells the weather", {"type": "object"})
TRAFFIC = (
    Message.system("Be brief."),
    *HELLO,
    Message("assistant", (Text("I look."), ToolCall("c1", "weather", '{"city": "Köln"}'), ToolCall("c2", "now", ""))),
    Message("tool", (ToolResult("c1", "rain"),)),
    Message("tool", (ToolResult("c2", "broken", is_error=True),)),
)


def test_tools_are_told_in_words_where_a_template_knows_none() -> None:
    rendered = chosen(SMOL).render(TRAFFIC, (WEATHER,))
    assert rendered.startswith("<|im_start|>system\nBe brief.\n\nYou can call tools.")
    assert '{"name": "weather", "description": "Tells the weather", "parameters": {"type": "object"}}' in rendered
    assert (
        "<|im_start|>assistant\nI look.\n"
        '<tool_call>\n{"name": "weather", "arguments": {"city": "Köln"}}\n</tool_call>\n'
        '<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call><|im_end|>\n'
        "<|im_start|>user\n<tool_response>\nrain\n</tool_response>\n"
        "<tool_response>\nError: broken\n</tool_response><|im_end|>\n"
    ) in rendered


def test_old_calls_are_told_in_words_too_when_no_tools_are_offered_any_more() -> None:
    rendered = chosen(SMOL).render(TRAFFIC)
    assert "You can call tools" not in rendered
    assert "<tool_response>\nrain" in rendered


def test_tools_in_words_reach_a_template_without_a_system_prompt() -> None:
    rendered = chosen(STRICT).render(TRAFFIC, (WEATHER,))
    assert "<start_of_turn>user\nBe brief.\n\nYou can call tools." in rendered


LLAMA3 = (
    "{% for m in messages %}{% if m.tool_calls %}{% if m.tool_calls | length != 1 %}"
    "{{ raise_exception('This model only supports single tool-calls at once!') }}{% endif %}"
    "{% set call = m.tool_calls[0].function %}"
    "{{ '<|start|>' + m.role + '{\"name\": \"' + call.name + '\", \"parameters\": ' }}"
    "{{ call.arguments | tojson }}{{ '}' }}"
    "{% else %}{{ '<|start|>' + m.role + '\n' + m.content }}{% endif %}"
    "{% if loop.first and tools %}{% for t in tools %}{{ t | tojson }}{% endfor %}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start|>assistant' }}{% endif %}"
)


def test_parallel_calls_are_told_one_by_one_where_a_template_knows_no_others() -> None:
    rendered = chosen(LLAMA3).render(TRAFFIC, (WEATHER,))
    first = rendered.index('{"name": "weather", "parameters": {"city": "Köln"}}<|start|>tool\nrain')
    assert first < rendered.index('{"name": "now", "parameters": {}}<|start|>tool\nError: broken')


def test_arguments_are_text_where_a_template_wants_them_so() -> None:
    as_text = LLAMA3.replace("{{ call.arguments | tojson }}", "{{ '' + call.arguments }}")
    rendered = chosen(as_text).render(TRAFFIC, (WEATHER,))
    assert '"parameters": {"city": "Köln"}}' in rendered
    assert "You can call tools" not in rendered


def test_ids_of_calls_have_the_form_that_mistral_insists_on() -> None:
    source = LLAMA3.replace(
        "{% set call", "{% if m.tool_calls[0].id | length != 9 %}{{ raise_exception('id') }}{% endif %}{% set call"
    )
    assert "You can call tools" not in chosen(source).render(TRAFFIC, (WEATHER,))


def test_a_prompt_that_opens_the_thinking_is_known() -> None:
    assert begins_thinking("<|im_start|>assistant\n<think>\n", HELLO)
    assert not begins_thinking("<|im_start|>assistant\n", HELLO)
    assert begins_thinking("<think>\nHm", (*HELLO, Message("assistant", (Thinking("Hm"),))))
    assert not begins_thinking("<think>\nHm\n</think>\n\nYes", (*HELLO, Message.assistant("Yes", "Hm")))


def test_an_empty_conversation_is_refused() -> None:
    with pytest.raises(InvalidRequestError):
        chosen(SMOL).render(())


@pytest.mark.parametrize(
    "hostile",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.__class__ }}",
        "{{ ''['__class__']['__mro__'] }}",
        "{{ '' | attr('__class__') }}",
        "{{ '{0.__class__}'.format(messages) }}",
        "{{ '{0.__class__}'.format_map({'0': 1}) }}",
        "{{ ['{0.__class__}'] | map('format', 1) | list }}",
        "{{ raise_exception.__globals__ }}",
        "{{ raise_exception['__globals__'] }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ strftime_now.__self__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ lipsum.__globals__['os'].popen('id').read() }}",
        "{% for x in messages %}{{ loop._iterator }}{% endfor %}",
        "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
        "{{ messages | map(attribute='__class__') | list }}",
        "{{ messages | selectattr('__class__.__base__') | list }}",
        "{{ messages | sort(attribute='__class__.__name__') }}",
        "{{ messages.append(1) }}",
        "{{ messages[0].update({'role': 'x'}) }}",
        "{{ dict.fromkeys }}{{ dict.__base__ }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{{ (messages | map('upper')).gi_frame }}",
    ],
)
def test_nothing_outside_the_template_can_be_reached(hostile: str) -> None:
    sandbox = ChatSandbox(1.0)
    variables = {"messages": [{"role": "user", "content": "hello"}], "bos_token": ""}
    try:
        shown = sandbox.run(sandbox.compile_template(hostile), variables)
    except TemplateError:
        return
    assert "class" not in shown
    assert "object at" not in shown
    assert shown.strip() in ("", "[Undefined]")


@pytest.mark.parametrize(
    "bomb",
    [
        "{{ 'a' * 10 ** 10 }}",
        "{{ [0] * 10 ** 9 }}",
        "{{ 10 ** 10000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%1000000000d' | format(1) }}",
        "{{ 'a' | center(1000000000) }}",
        "{{ 'a'.ljust(1000000000) }}",
        "{{ 'a'.zfill(1000000000) }}",
        "{{ 'a\n' | indent(1000000000) | length }}{{ 1 / 0 }}",
        "{{ lipsum(n=100000000) }}",
        "{{ range(10 ** 9) | list }}",
        "{{ range(-(10 ** 30), 10 ** 30) | list }}",
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{% for i in range(100000) %}{% for j in range(100000) %}aaaaaaaaaaaaaaa{% endfor %}{% endfor %}",
        "{% set n = namespace(x='aa') %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
        "{% set n = namespace(x='aa') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        "{% set n = namespace(x='a') %}{% for i in range(99) %}{% set n.x %}{{ n.x }}{{ n.x }}{% endset %}{% endfor %}",
        "{% set n = namespace(x='aa') %}{% for i in range(99) %}{% set n.x = n.x.replace('a', n.x) %}{% endfor %}",
        "{% set n = namespace(x='aa') %}{% for i in range(99) %}{% set n.x = n.x | replace('a', n.x) %}{% endfor %}",
        "{% set n = namespace(x='aa') %}{% for i in range(99) %}{% set n.x = n.x.join([n.x, n.x]) %}{% endfor %}",
        "{% set n = namespace(x='aa') %}{% for i in range(99) %}{% set n.x = [n.x, n.x] | join(n.x) %}{% endfor %}",
        "{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
        "{% set n = namespace(x=9) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
        "{% macro m(d) %}{% if d %}{{ m(d - 1) }}{{ m(d - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
        "{% for x in [1, 2] recursive %}{% if loop.depth < 60 %}{{ loop([1, 2]) }}{% endif %}{% endfor %}",
        "{{ strftime_now('%1000000000d') }}",
        "{{ [1] | tojson(indent=1000000000) | length }}{{ 1 / 0 }}",
        "{{ '" + "a" * 600_000 + "' }}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ " + "1+" * 20000 + "1 }}",
        "{% if 1 %}" * 500 + "{% endif %}" * 500,
    ],
)
def test_bombs_are_defused_quickly(bomb: str) -> None:
    sandbox = ChatSandbox(0.3)
    began = time.monotonic()
    with pytest.raises(TemplateError):
        sandbox.run(sandbox.compile_template(bomb), {"messages": []})
    assert time.monotonic() - began < 3


def test_the_time_limit_names_itself() -> None:
    sandbox = ChatSandbox(0.05)
    with pytest.raises(TemplateLimitError, match=r"0\.05 seconds"):
        sandbox.run(
            sandbox.compile_template("{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}"), {}
        )


def test_the_dialect_of_real_templates_is_understood() -> None:
    source = (
        "{%- set ns = namespace(found=false, text='') -%}\n"
        "{%- for m in messages[::-1] -%}\n    {%- if loop.last -%}{%- continue -%}{%- endif -%}\n"
        "    {%- set ns.text = ns.text ~ m.content.split('o')[-1].strip() -%}{%- break -%}\n{%- endfor -%}\n"
        "{%- generation -%}{{ ns.text }}{%- endgeneration -%}"
        "{{ {'b': '<', 'a': 'é'} | tojson }}{{ messages | selectattr('role', 'equalto', 'user') | list | length }}"
        "{{ strftime_now('%Y') | length }}{{ messages | map(attribute='content') | join(' ') }}"
        "{{ (3 * 4 + 1) % 5 }}{% for k, v in {'x': 1} | items %}{{ k }}{{ v }}{% endfor %}"
    )
    sandbox = ChatSandbox(1.0)
    shown = sandbox.run(
        sandbox.compile_template(source),
        {"messages": [{"role": "user", "content": "hello you"}, {"role": "user", "content": "foo bar"}]},
    )
    assert shown == 'bar{"b": "<", "a": "é"}24hello you foo bar3x1'


snippets = st.sampled_from(
    [
        "{{ messages }}", "{% for m in messages %}", "{% endfor %}", "{{ m.content }}", "{% if tools %}", "{% else %}",
        "{% endif %}", "{{ bos_token }}", "{{ '", "' }}", "{%", "%}", "{#", "#}", "{% set x = ", "loop.index", " * 99",
        "{% macro f() %}", "{% endmacro %}", "{{ f() }}", "| tojson", "| join", "[0]", ".x", "{% break %}", "{% raw %}",
        "{% generation %}", "{% endgeneration %}", "{% call f() %}", "{% filter upper %}", "{% endfilter %}",
    ]
)  # fmt: skip
garbage = st.lists(st.one_of(snippets, st.text(max_size=12)), max_size=25).map("".join)


@settings(max_examples=300, deadline=None)
@given(garbage, st.text(max_size=40))
def test_whatever_a_file_carries_a_prompt_can_be_made(source: str, question: str) -> None:
    template, warnings = ChatTemplate.choose(source, None, "<s>", "</s>")
    assert all(isinstance(warning, str) and warning for warning in warnings)
    try:
        rendered = template.render((Message.user(question),))
    except InvalidRequestError:
        return
    assert isinstance(rendered, str)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text(max_size=30)), min_size=1, max_size=8)
)
def test_a_conversation_of_any_shape_is_rendered_or_refused(turns: list[tuple[str, str]]) -> None:
    messages = tuple(Message(role, (Text(text),)) for role, text in turns)  # type: ignore[arg-type]
    for source in (SMOL, STRICT, MISTRAL):
        try:
            rendered = chosen(source).render(messages)
        except InvalidRequestError:
            continue
        if turns[-1][0] == "assistant":
            assert rendered.endswith(turns[-1][1])
