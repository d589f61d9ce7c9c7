"""The role ``chat``: opens a model, prepares requests, and lets the scheduler answer them."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable

import psutil

from app.engine.frames import (
    ApplyTemplate,
    Cancel,
    Command,
    Counted,
    CountTokens,
    Detokenize,
    Event,
    Failed,
    Generate,
    Infill,
    Keep,
    Loaded,
    Loading,
    LoadOptions,
    Ping,
    Status,
    Tokenize,
    Written,
)
from app.engine.hardware import cores
from app.engine.thinking import THINKING_TEXTS
from app.engine.tool_calls import CONTROL_TEXTS, offered_tools
from app.engine.window import affordable
from app.errors import ContextOverflowError, InvalidRequestError, PlaygroundError
from app.messages import ChatRequest, Sampling

from .composing import Composer
from .control_names import Piece
from .devices import accelerator
from .lookup import PromptLookup
from .native import Batch, Context, Model
from .residence import Residence
from .sampler import SamplerChain, plan_for
from .scheduler import Scheduler
from .sequence import Sequence
from .shelf import StateShelf
from .speculation import Speculation
from .template import ChatTemplate, begins_thinking
from .text import TextAssembler
from .token_questions import TokenQuestions
from .tools import MOST_CALLS, constraint_for, form_of

_BATCH_TOKENS = 512
_KEPT_CONVERSATIONS = 16
"""Sequences beyond those that may run at once: conversations whose next turn will find its prefix computed."""

_PARKING_SHARE = 0.15
"""How much of the free memory conversations may take that wait for their next turn outside the KV cache."""


class ChatWorker:
    """Answers chat requests on one model.

    ``handle`` runs in the main thread, where templates are rendered under a time limit; the scheduler has a thread of
    its own, so that neither waits for the other.

    Raises:
        ModelLoadError: when the model or its context cannot be opened.
    """

    def __init__(self, options: LoadOptions, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        gpu = accelerator(options.device)
        self._model = model = Model(
            options.path,
            gpu_layers=options.gpu_layers if gpu else 0,
            on_progress=_every_percent(lambda fraction: emit(Loading(fraction))),
        )
        warnings: list[str] = []
        self._context_tokens, cells = _fit(options, model, warnings)
        slots = options.sequences + _KEPT_CONVERSATIONS
        threads = options.threads or cores()
        self._context = Context(model, cells=cells, sequences=slots, batch=_BATCH_TOKENS, threads=threads)
        self._template, template_warnings = ChatTemplate.choose(
            model.chat_template, options.chat_template, model.bos, model.eos
        )
        warnings.extend(template_warnings)
        self._thinking_marks = _control_tokens(model, THINKING_TEXTS)
        self._call_marks = _control_tokens(model, CONTROL_TEXTS)
        self._batch = Batch(_BATCH_TOKENS)
        # A wrong guess is cut out of the cache again, which not every kind of model can.
        self._speculates = options.speculation == "prompt-lookup" and model.shares_prefixes
        self._rounds_alike = threads == 1 and not gpu
        parking_bytes = int(psutil.virtual_memory().available * _PARKING_SHARE)
        shelf = StateShelf(options.states, self._context.layout) if options.states else None
        residence = Residence(model, self._context, slots, parking_bytes, shelf)
        composer = Composer(self._batch, residence, Speculation() if self._speculates else None)
        self._scheduler = Scheduler(
            model,
            self._context,
            self._batch,
            residence,
            composer,
            sequences=options.sequences,
            queue=options.queue,
            emit=emit,
        )
        self._questions = TokenQuestions(model.vocabulary, self._context_tokens, emit)
        layers_on_gpu = 0 if not gpu else model.layers + 1 if options.gpu_layers < 0 else options.gpu_layers
        self.loaded = Loaded(
            description=model.description,
            context=self._context_tokens,
            trained_context=model.trained_context,
            cells=self._context.cells,
            sequences=options.sequences,
            device=gpu or "CPU",
            gpu_layers=min(layers_on_gpu, model.layers + 1),
            layers=model.layers,
            size_bytes=model.size_bytes,
            warnings=tuple(warnings),
        )
        self._warm = threading.Event()
        self._thread = threading.Thread(target=self._decode_until_closed, name="decode")

    def start(self) -> None:
        """Begins to answer; returns when the weights have been touched once."""
        self._thread.start()
        self._questions.start()
        self._warm.wait()

    def handle(self, command: Command) -> None:
        """Carries out one command; what is wrong with a request is answered by ``Failed``, and nothing else suffers."""
        match command:
            case Generate(request_id, request):
                self._answering(request_id, lambda: self._scheduler.submit(self._prepare(request_id, request)))
            case CountTokens(request_id, request):
                self._answering(
                    request_id,
                    lambda: self._emit(Counted(request_id, len(self._tokens(self._prompt(request))))),
                )
            case Tokenize() | Detokenize() | Infill():
                self._answering(command.request_id, lambda: self._questions.ask(command))
            case ApplyTemplate(request_id, request):
                self._answering(
                    request_id,
                    lambda: self._emit(
                        Written(request_id, self._template.render(request.messages, offered_tools(request)))
                    ),
                )
            case Cancel(request_id):
                self._scheduler.cancel(request_id)
                self._questions.cancel(request_id)
            case Keep(states):
                self._scheduler.keep(StateShelf(states, self._context.layout))
            case Ping(request_id):
                load = self._scheduler.load()
                self._emit(
                    Status(
                        request_id,
                        load.running,
                        load.queued,
                        load.used_cells,
                        self._context.cells,
                        load.decoded_tokens,
                        load.guessed_tokens,
                        load.right_tokens,
                    )
                )

    def close(self) -> None:
        """Ends within one step."""
        self._questions.close()
        self._scheduler.close()
        if self._thread.is_alive():
            self._thread.join()

    def _decode_until_closed(self) -> None:
        try:
            self._warm_up()
            self._warm.set()
            self._scheduler.run()
        except BrokenPipeError:
            # The face is gone; nobody is left to answer.
            os._exit(0)
        except BaseException:  # noqa: BLE001 - the boundary of the process: reported in the log, and by its death
            # A fault in the only thread that decodes would leave a worker that accepts and never answers. End it: the
            # face reports the death, with the traceback from the log, and starts a fresh worker.
            traceback.print_exc()
            os._exit(70)

    def _answering(self, request_id: int, work: Callable[[], None]) -> None:
        try:
            work()
        except PlaygroundError as error:
            self._emit(Failed(request_id, error.code, error.message, error.remedy))

    def _prompt(self, request: ChatRequest) -> list[Piece] | tuple[int, ...]:
        if isinstance(request.prompt, str):
            return [Piece(request.prompt, True)]
        if request.prompt is not None:
            return request.prompt
        hiding = self._model.vocabulary.names.hiding()
        return hiding.pieces(self._template.render(request.messages, offered_tools(request), hide=hiding.hide))

    def _tokens(self, prompt: list[Piece] | tuple[int, ...], limit: int | None = None) -> list[int]:
        tokens = self._split(prompt, limit) if isinstance(prompt, list) else list(prompt)
        if not tokens:
            raise InvalidRequestError("The prompt is empty.", "Send at least one message, or some text.")
        if not all(0 <= token < self._model.vocab_size for token in tokens):
            raise InvalidRequestError(f"The prompt has tokens that are not 0 to {self._model.vocab_size - 1}.")
        return tokens

    def _split(self, pieces: list[Piece], limit: int | None) -> list[int]:
        model, vocabulary = self._model, self._model.vocabulary
        if limit is not None and (fewest := sum(vocabulary.fewest(piece.text) for piece in pieces)) >= limit:
            raise _too_long(f"at least {fewest}", limit)
        if len(pieces) == 1 and pieces[0].special:
            return model.tokenize(pieces[0].text)
        begins = pieces[0].special and bool(model.bos) and pieces[0].text.startswith(model.bos)
        tokens = [vocabulary.bos] if vocabulary.begins_with_bos and not begins else []
        for text, special in pieces:
            tokens += vocabulary.tokenize(text, add_special=False, parse_special=special)
        return tokens

    def _prepare(self, request_id: int, request: ChatRequest) -> Sequence:
        written = self._prompt(request)
        limit = self._context_tokens
        prompt = self._tokens(written, limit)
        if len(prompt) >= limit:
            raise _too_long(str(len(prompt)), limit)
        sampling = request.sampling
        plan = plan_for(sampling, self._model.vocab_size, limit)
        thinking = isinstance(written, list) and request.prompt is None and _begins_thinking(written, request)
        tools = offered_tools(request)
        # A model that was never taught to call tools repeats its first call when it may: one is what it can do.
        most_calls = MOST_CALLS if self._template.takes_tools else 1
        form = form_of(self._template.source)
        constraint = constraint_for(request, tools, form, thinking=thinking, most_calls=most_calls)
        shown = self._thinking_marks | (self._call_marks if tools else {})
        chain = SamplerChain(self._model, plan, constraint, shown)
        if plan.penalises:
            chain.remember(prompt[-plan.repeat_last_n :])
        if sampling.max_tokens is not None:
            limit = min(limit, len(prompt) + sampling.max_tokens)
        assembler = TextAssembler(sampling.stop)
        lookup = PromptLookup(len(prompt)) if self._guesses_at(sampling) else None
        return Sequence(
            request_id, prompt, limit, chain, assembler, sampling.logprobs, thinking, shown=shown, lookup=lookup
        )

    def _guesses_at(self, sampling: Sampling) -> bool:
        """Whether an answer may be guessed at.

        Threads that share the work, and accelerators, round a row that is computed alone otherwise than one among
        others, by enough to tip a close choice. An answer that must come out the same again is left alone then.
        """
        same_again = sampling.seed is not None or sampling.temperature == 0
        return self._speculates and (self._rounds_alike or not same_again)

    def _warm_up(self) -> None:
        """Decodes one token, so that the first request does not pay for touching every weight.

        Nothing is decoded in any other thread, ever: OpenMP keeps a team of threads for each thread that computes, and
        once there are more of them than processors it puts the team to sleep at every barrier, which makes one answer
        1.7 times slower (libgomp, ``gomp_throttled_spin_count_var``).
        """
        self._batch.clear()
        self._batch.add(self._model.tokenize("\n")[:1], 0, 0, output=True)
        self._context.decode(self._batch)
        self._context.truncate(0, 0)


def _too_long(tokens: str, limit: int) -> ContextOverflowError:
    return ContextOverflowError(
        f"The prompt is {tokens} tokens long; this model's context window is {limit}.",
        "Shorten the conversation, or set a larger engine.context.",
    )


def _begins_thinking(written: list[Piece], request: ChatRequest) -> bool:
    return begins_thinking("".join(piece.text for piece in written), request.messages)


def _fit(options: LoadOptions, model: Model, warnings: list[str]) -> tuple[int, int]:
    """Tokens of one conversation's context window, and tokens of KV cache for all of them together."""
    most = affordable(psutil.virtual_memory().available, model.cell_bytes)
    wanted = options.context or model.trained_context
    if wanted > model.trained_context:
        warnings.append(
            f"A context of {wanted} tokens was asked for; the model was trained with {model.trained_context}, "
            "and is unreliable beyond."
        )
    if wanted > most:
        warnings.append(f"A context of {wanted} tokens does not fit in memory; {most} are used.")
        wanted = most
    return wanted, max(wanted, min(options.cells or 2 * wanted, most))


def _control_tokens(model: Model, texts: tuple[str, ...]) -> dict[int, bytes]:
    """Those of ``texts`` that are control tokens of the vocabulary, whose text is otherwise not shown."""
    found: dict[int, bytes] = {}
    for text in texts:
        tokens = model.tokenize(model.bos + text)[1 if model.bos else 0 :]
        if len(tokens) == 1 and not model.piece(tokens[0]) and not model.ends_generation(tokens[0]):
            found[tokens[0]] = text.encode()
    return found


def _every_percent(report: Callable[[float], None]) -> Callable[[float], None]:
    """Passes on a share between 0 and 1 when it has grown by a hundredth: the library calls for every tensor."""
    last = -1.0

    def passed(fraction: float) -> None:
        nonlocal last
        if fraction - last >= 0.01 or fraction >= 1.0:
            last = fraction
            report(fraction)

    return passed
