"""``playground chat``: one question, one answer, kept so that it can be gone on with."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from app.chat import Exchange, ExchangeEvent, Outgoing
from app.chat.attaching.sending import with_attached
from app.errors import PlaygroundError, error_codes
from app.messages import ChatRequest, Delta, Failure, ResponseFormat, Sampling, Waiting
from app.playground import Playground

from .answer import Answer, WaitingLine, print_answer
from .attaching import PIPED, attached, require_sendable
from .conversing import Talk, Trouble, Wanted, begin
from .daily import back_up_daily
from .fetching import chat_model, fetch
from .interrupts import INTERRUPTED
from .prompted import Asking, named
from .question import piped_text, question, response_format, whole
from .session import Session, report, reporting_errors
from .unlocking import open_unasked

if TYPE_CHECKING:
    from app.chat.attaching.files import Attachment
    from app.chat.recalling import Recaller
    from app.engine.slot import LoadedModel
    from app.routing.answering import Answering

_REMEMBERING_SECONDS = 2.0
"""Behind an answer; what is not embedded then comes next time."""


@click.command()
@click.argument("prompt", nargs=-1)
@click.option("-m", "--model", help="The model that answers; `playground models list` shows them.")
@click.option("-c", "--continue", "latest", is_flag=True, help="Go on with the latest conversation.")
@click.option(
    "--session", "which", metavar="SESSION", help="Go on with this one: its id, the beginning of it, or its title."
)
@click.option(
    "-a",
    "--attach",
    "files",
    metavar="FILE",
    multiple=True,
    help="A text or a picture that goes with PROMPT; may be given more than once. - is what is piped in.",
)
@click.option("-p", "--prompt", "prompt_name", metavar="NAME", help="Ask with this one of `playground prompts list`.")
@click.option("--persona", metavar="NAME", help="Have this one of `playground prompts list` answer.")
@click.option("--var", "values", metavar="NAME=VALUE", multiple=True, help="A value for a variable of these two.")
@click.option("--no-keep", is_flag=True, help="Keep nothing of what is said in the vault.")
@click.option("-s", "--system", help="Instructions that hold for the conversation.")
@click.option("--temperature", type=click.FloatRange(min=0), help="0 is the likeliest answer; higher is more varied.")
@click.option(
    "--top-p",
    type=click.FloatRange(0, 1, min_open=True),
    help="Choose among the likeliest tokens of this total probability.",
)
@click.option("--max-tokens", type=click.IntRange(min=1), help="End the answer after this many tokens.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="The same seed gives the same answer.")
@click.option("--stop", multiple=True, help="End the answer before this text; may be given more than once.")
@click.option("--json-schema", type=click.Path(path_type=Path), help="A JSON schema that the answer must fit.")
@click.option("--grammar", type=click.Path(path_type=Path), help="A GBNF grammar that the answer must fit.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object when the answer is whole.")
@click.pass_obj
@reporting_errors
def chat(
    session: Session,
    prompt: tuple[str, ...],
    model: str | None,
    latest: bool,
    which: str | None,
    files: tuple[str, ...],
    prompt_name: str | None,
    persona: str | None,
    values: tuple[str, ...],
    no_keep: bool,
    system: str | None,
    temperature: float | None,
    top_p: float | None,
    max_tokens: int | None,
    seed: int | None,
    stop: tuple[str, ...],
    json_schema: Path | None,
    grammar: Path | None,
    as_json: bool,
) -> None:
    """Answer PROMPT. What is piped in is read too: git diff | playground chat "review this".

    The conversation is kept: --continue goes on with it, also with an answer that was cut, then without a PROMPT.
    Options of the sampling hold for the rest of it. With --prompt, PROMPT and what is piped in are its {{input}}.
    """
    if latest and which is not None:
        raise click.UsageError("Give --continue or --session, not both.")
    form = response_format(json_schema, grammar)
    wanted = Wanted(latest, which, keep=not no_keep)
    going_with = attached(files)
    piped = piped_text() if PIPED not in files else ""
    library = named(prompt_name, persona, values, system)
    stops = tuple(map(whole, stop))
    sampling = Sampling(temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed, stop=stops)
    instructions = whole(system) if system else None
    may_be_empty = wanted.resumes or bool(going_with)
    words = " ".join(prompt)
    question(words, piped, may_be_empty=may_be_empty or prompt_name is not None)  # said before anything is opened
    asking = Asking(words, piped, model, instructions, sampling, may_be_empty)

    async def asked(playground: Playground) -> int:
        whole_asking = await library.applied(playground, asking)
        return await _Turn(whole_asking, going_with, wanted, form, as_json=as_json).run(playground)

    sys.exit(session.run(asked))


class _Turn:
    """One question, from the command's options to its exit status."""

    def __init__(
        self,
        asking: Asking,
        files: tuple[Attachment, ...],
        wanted: Wanted,
        form: ResponseFormat,
        *,
        as_json: bool,
    ) -> None:
        self._asked, self._files, self._wanted, self._model = asking.text, files, wanted, asking.model
        self._title = asking.title
        self._system, self._sampling, self._form, self._as_json = asking.system, asking.sampling, form, as_json
        self._trouble = Trouble()
        self._waiting = WaitingLine(enabled=not as_json)
        self._talk: Talk | None = None

    async def run(self, playground: Playground) -> int:
        """Asks, prints and keeps; gives the exit status."""
        answer = Answer(self._model or playground.settings.models.default)
        interrupted = False
        try:
            async with _cancelled_by_interrupt():
                await self._ask(playground, answer)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            interrupted = True
        except PlaygroundError as error:
            if not self._as_json:
                answer.end_line()
                raise
            answer.failure = Failure.of(error)
        finally:
            if self._talk is not None:
                await self._talk.aclose()
                if not self._wanted.keep:
                    # The request is noted all the same, without its words. Late, so that no answer waits for it.
                    await open_unasked(playground)
        if not self._as_json:
            answer.end_line()
        if answer.failure is not None:
            report(_error(answer.failure))
        self._trouble.tell()
        if self._as_json:
            click.echo(answer.as_json(self._talk.session_id if self._talk else None))
        if not interrupted and self._talk is not None and self._talk.session_id is not None:
            await back_up_daily(playground)
        return INTERRUPTED if interrupted else 1 if answer.failure else 0

    async def _ask(self, playground: Playground, answer: Answer) -> None:
        if self._wanted.resumes:
            # Which model answers is known only when the conversation is.
            self._talk = talk = await begin(playground, self._wanted, self._trouble)
            if self._model is None and talk.kept is not None and talk.kept.model:
                answer.model = _known(playground, talk.kept.model) or answer.model
            if not (self._asked or self._files) and talk.unanswered is None:
                raise click.UsageError("There is no prompt, and the last answer of this conversation is whole.")
        await require_sendable(playground, answer.model, self._files)
        loading = None
        if not playground.router.is_remote(answer.model):
            await fetch(playground, chat_model(playground, answer.model))
            loading = asyncio.create_task(playground.pool.load(answer.model, self._loading))
        try:
            if self._talk is None:
                # The vault is opened while the model loads, so that keeping an answer does not delay it.
                self._talk = await begin(playground, self._wanted, self._trouble)
            answering = _Answering(playground.router, self._form, loading, kept=self._wanted.keep)
            window = await answering.window(answer.model) if self._talk.conversation.head is not None else 0
            recaller = self._recaller(playground, answer.model)
            sees = playground.router.sees(answer.model) is not False
            async with aclosing(self._events(self._talk, answering, answer.model, window, recaller, sees)) as events:
                await print_answer(events, answer, self._waiting, show=not self._as_json)
            if recaller is not None and self._talk.keeper is not None and await self._talk.keeper.settle():
                from .memory import remember_a_little

                await remember_a_little(playground, _REMEMBERING_SECONDS)
        finally:
            self._waiting.clear()
            if loading is not None:
                loading.cancel()
                await asyncio.gather(loading, return_exceptions=True)

    def _recaller(self, playground: Playground, model: str) -> Recaller | None:
        keeper = self._talk.keeper if self._talk is not None else None
        if keeper is None or playground.opened_vault is None or not keeper.session.remembers:
            return None
        return playground.recaller(model)

    async def _events(
        self, talk: Talk, answering: _Answering, model: str, window: int, recaller: Recaller | None, sees: bool
    ) -> AsyncGenerator[ExchangeEvent, None]:
        from app.chat.titles import first_words

        title = first_words(self._title or self._asked or ", ".join(file.name for file in self._files))
        sampling = talk.choose(model=model, system=self._system, sampling=self._sampling, title=title)
        outgoing = Outgoing(talk.conversation, model, sampling=sampling, window=window, recaller=recaller, sees=sees)
        exchange = Exchange(outgoing, answering, settle=talk.keeper.settle if talk.keeper else None)
        asked = with_attached(self._asked, self._files) if self._asked or self._files else None
        node = talk.conversation.append(asked) if asked is not None else talk.unanswered
        assert node is not None
        answers = exchange.run(node.id) if node.message.role == "user" else exchange.go_on(node.id)
        async with aclosing(answers) as events:
            async for event in events:
                yield event

    def _loading(self, share: float) -> None:
        if self._talk is not None:  # until then the line may belong to the question for a passphrase
            self._waiting.show(Waiting("loading", round(share * 100), 100))


class _Answering:
    """The router, asked for one form of answer, once the model that loads meanwhile has not failed to.

    A remote model has nothing to load. With ``kept`` false, nothing of what is said is kept.
    """

    def __init__(
        self, router: Answering, form: ResponseFormat, loading: asyncio.Task[LoadedModel] | None, *, kept: bool
    ) -> None:
        self._router, self._form, self._loading, self._kept = router, form, loading, kept

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """See ``app.chat.exchange.Answering``."""
        if self._loading is not None and self._loading.done():
            self._loading.result()
        asked = msgspec.structs.replace(request, response_format=self._form, kept=self._kept)
        async with aclosing(self._router.stream(asked)) as deltas:
            async for delta in deltas:
                yield delta

    async def window(self, model: str) -> int:
        """The model's context window in tokens; 0 when unknown, or it cannot be loaded, which asking will say."""
        if self._loading is None:
            return self._router.context_of(model)
        try:
            return (await self._loading).loaded.context
        except PlaygroundError:
            return 0


def _known(playground: Playground, model: str) -> str | None:
    """``model``, if there still is one of this name; says so when there is not."""
    if playground.router.is_remote(model) or any(entry.name == model for entry in playground.catalogue.entries):
        return model
    click.echo(f"{model!a} answered before and is in no catalogue; another model goes on.", err=True)
    return None


def _error(failure: Failure) -> PlaygroundError:
    return error_codes().get(failure.code, PlaygroundError)(failure.message, failure.remedy)


@contextlib.asynccontextmanager
async def _cancelled_by_interrupt() -> AsyncIterator[None]:
    """Makes Ctrl-C cancel this task alone, so that what came before can still be told."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    loop.add_signal_handler(signal.SIGINT, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
