"""What Prometheus reads at ``/metrics``: counters and histograms of one server, in a registry of its own.

Names and units follow https://prometheus.io/docs/practices/naming/: seconds, bytes, ``_total`` for what only grows.
Every label has few values: routes by their template, models that exist, never what a client made up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app import __version__
from app.engine.slot import LoadedModel
from app.messages import Usage

_LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_FIRST_TOKEN_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3, 6, 12, 30, 60)
_SPEED = (1, 2, 5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 500, 1000)


class Measures:
    """The counters of one server. ``text`` is what a scrape gets.

    Args:
        loaded: the models that are ready just now; asked at every scrape.
    """

    def __init__(self, loaded: Callable[[], Iterable[LoadedModel]]) -> None:
        own = self._registry = _Registry()
        self.requests = Counter(
            "playground_requests",
            "Requests answered, and WebSockets closed.",
            ("method", "route", "status", "protocol"),
            registry=own,
        )
        self.seconds = Histogram(
            "playground_request_seconds",
            "Seconds from a request's head to the end of its answer; WebSockets are not among them.",
            ("route", "protocol"),
            buckets=_LATENCY_S,
            registry=own,
        )
        self.active_requests = Active("playground_active_requests", "Requests being answered.", own)
        self.active_streams = Active("playground_active_streams", "Answers going out event by event.", own)
        self.active_sockets = Active("playground_active_websockets", "WebSockets that are open.", own)
        self.first_token_seconds = Histogram(
            "playground_first_token_seconds",
            "Seconds from the question to the model's first token, loading and waiting included.",
            ("model",),
            buckets=_FIRST_TOKEN_S,
            registry=own,
        )
        self.tokens_per_second = Histogram(
            "playground_tokens_per_second",
            "Speed of whole answers after their first token.",
            ("model",),
            buckets=_SPEED,
            registry=own,
        )
        by_model = ("model", "backend")
        self.answers = Counter(
            "playground_answers",
            "Answers of models: finished, stopped or failed.",
            (*by_model, "outcome"),
            registry=own,
        )
        self.prompt_tokens = Counter("playground_prompt_tokens", "Tokens read.", by_model, registry=own)
        self.completion_tokens = Counter("playground_completion_tokens", "Tokens written.", by_model, registry=own)
        self.cached_tokens = Counter(
            "playground_cached_prompt_tokens",
            "Tokens of prompts that were not computed again.",
            by_model,
            registry=own,
        )
        self.cached_answers = Counter(
            "playground_cached_answers",
            "Answers that had been given before and were given again.",
            ("model",),
            registry=own,
        )
        self.errors = Counter("playground_errors", "Errors told to clients, by code.", ("code",), registry=own)
        self.refusals = Counter(
            "playground_refusals",
            "Requests that the gate turned away: no key, wrong scope, limits.",
            ("code",),
            registry=own,
        )
        self.blocks = Counter("playground_blocks", "Times that an address was blocked for a while.", registry=own)
        self.crashes = Counter("playground_unexpected_errors", "Errors that nobody had foreseen.", registry=own)
        Gauge("playground_build_info", "Always 1; which version runs.", ("version",), registry=own).labels(
            __version__
        ).set(1)
        own.register(_Models(loaded))
        ProcessCollector(registry=own)
        self._answers: dict[tuple[str, str, str], Counter] = {}
        self._models: dict[tuple[str, str], _OfModel] = {}
        self._requests: dict[tuple[str, str, int, str], Counter] = {}
        self._seconds: dict[tuple[str, str], Histogram] = {}
        self._first_tokens: dict[str, Histogram] = {}

    def request(self, method: str, route: str, status: int, protocol: str, seconds: float | None) -> None:
        """Counts a request. Children are remembered here: ``labels()`` takes longer than all the counting."""
        key = (method, route, status, protocol)
        counter = self._requests.get(key)
        if counter is None:
            counter = self._requests[key] = self.requests.labels(method, route, str(status), protocol)
        counter.inc()
        if seconds is None:
            return
        histogram = self._seconds.get((route, protocol))
        if histogram is None:
            histogram = self._seconds[route, protocol] = self.seconds.labels(route, protocol)
        histogram.observe(seconds)

    def first_token(self, model: str, seconds: float) -> None:
        """Counts an answer's first token."""
        histogram = self._first_tokens.get(model)
        if histogram is None:
            histogram = self._first_tokens[model] = self.first_token_seconds.labels(model)
        histogram.observe(seconds)

    def answered(self, model: str, backend: str, usage: Usage, decode_s: float | None, outcome: str) -> None:
        """Counts an answer and its tokens.

        Args:
            model: who answered.
            backend: through what.
            usage: tokens.
            decode_s: seconds from the first token to the last, where they are known.
            outcome: ``finished``, ``stopped`` or ``failed``.
        """
        counter = self._answers.get((model, backend, outcome))
        if counter is None:
            counter = self._answers[model, backend, outcome] = self.answers.labels(model, backend, outcome)
        counter.inc()
        of = self._models.get((model, backend))
        if of is None:
            of = self._models[model, backend] = _OfModel(
                self.prompt_tokens.labels(model, backend),
                self.completion_tokens.labels(model, backend),
                self.cached_tokens.labels(model, backend),
                self.tokens_per_second.labels(model),
            )
        of.prompt.inc(usage.prompt_tokens)
        of.completion.inc(usage.completion_tokens)
        of.cached.inc(usage.cached_tokens)
        if decode_s and usage.completion_tokens > 1:
            of.speed.observe((usage.completion_tokens - 1) / decode_s)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)


class Active:
    """How many there are of something at this moment; its gauge looks when it is scraped.

    Attributes:
        now: the number.
    """

    __slots__ = ("now",)

    def __init__(self, name: str, text: str, registry: CollectorRegistry) -> None:
        self.now = 0
        Gauge(name, text, registry=registry).set_function(lambda: self.now)


@dataclass(frozen=True)
class _OfModel:
    """One model's children of the counters."""

    prompt: Counter
    completion: Counter
    cached: Counter
    speed: Histogram


class _Registry(CollectorRegistry):
    """Without the moment at which each counter was made: twice as many series, and nobody draws them."""

    def collect(self) -> Iterator[Metric]:
        """Every metric."""
        for metric in super().collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


class _Models(Collector):
    """The models that are loaded, as they are at the moment of a scrape."""

    def __init__(self, loaded: Callable[[], Iterable[LoadedModel]]) -> None:
        self._loaded = loaded

    def describe(self) -> Iterable[Metric]:
        """What is registered, without asking for the models."""
        return self._families()

    def collect(self) -> Iterator[Metric]:
        """A sample of each family for each model."""
        running, waiting, load, size, context = families = self._families()
        for model in self._loaded():
            at_once = model.loaded.sequences
            running.add_metric((model.name,), min(model.requests, at_once))
            waiting.add_metric((model.name,), max(0, model.requests - at_once))
            load.add_metric((model.name,), model.load_s)
            size.add_metric((model.name,), model.loaded.size_bytes)
            context.add_metric((model.name,), model.loaded.context)
        yield from families

    @staticmethod
    def _families() -> tuple[GaugeMetricFamily, ...]:
        told = (
            ("playground_model_running", "Requests that a loaded model works on."),
            ("playground_model_waiting", "Requests that wait for a loaded model."),
            ("playground_model_load_seconds", "Seconds that loading took, of the models that are loaded."),
            ("playground_model_size_bytes", "Size of the weights, of the models that are loaded."),
            ("playground_model_context_tokens", "Context window, of the models that are loaded."),
        )
        return tuple(GaugeMetricFamily(name, text, labels=("model",)) for name, text in told)
