"""An endpoint's rules, from the catalogue's words to what runs on every request; mistakes are found here, at load."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from app.backends.endpoint import Endpoint, Transform
from app.errors import CatalogueError

from .headers import BadHeaderError, HeaderChoice
from .wire import EndpointRules, OnBodies, Paths, Step, Texts

if TYPE_CHECKING:
    from .replacing import Replacement

_KINDS = ("replace", "drop", "add")


def compile_rules(endpoint: Endpoint, environ: Mapping[str, str], file: Path | str) -> EndpointRules:
    """Header rules and transforms of ``endpoint``, ready to use.

    Args:
        endpoint: as the catalogue has it.
        environ: what ``${NAME}`` in headers' values refers to.
        file: the catalogue, for errors.

    Raises:
        CatalogueError: naming the file, the endpoint, the rule by its number, what was found and why it cannot be used.
    """
    where = f"{file}: [endpoints.{endpoint.name}]"
    try:
        headers = HeaderChoice(endpoint.headers, environ)
    except BadHeaderError as error:
        raise CatalogueError(f"{where}: headers: {error}.", "Correct the file.") from None
    compiled = [
        (transform.on, _compiled(transform, f"{where}: transforms[{place}]"))
        for place, transform in enumerate(endpoint.transforms)
    ]
    out = [one for on, one in compiled if on in ("request", "both")]
    back = [one for on, one in compiled if on in ("response", "both")]
    return EndpointRules(headers, _steps(out), _steps(back))


def _compiled(transform: Transform, where: str) -> Replacement | OnBodies:
    set_here = [kind for kind in _KINDS if getattr(transform, kind) is not None]
    if len(set_here) != 1:
        found = " and ".join(set_here) or "none of them"
        raise CatalogueError(f"{where} has {found}; expected one of replace, drop and add.", "Correct the file.")
    kind = set_here[0]
    if transform.by and kind != "replace":
        raise CatalogueError(f"{where} has `by` beside {kind}; it goes with replace alone.", "Correct the file.")
    if transform.value is not None and kind != "add":
        raise CatalogueError(f"{where} has `value` beside {kind}; it goes with add alone.", "Correct the file.")
    text = str(getattr(transform, kind))
    try:
        return _made(kind, text, transform)
    except ValueError as error:
        raise CatalogueError(f"{where}: {kind} is {text!r}: {error}.", "Correct the file.") from None


def _made(kind: str, text: str, transform: Transform) -> Replacement | OnBodies:
    # What they stand on takes 10 and 60 ms to import, which a catalogue without transforms need not pay.
    if kind == "replace":
        from .replacing import Replacement

        return Replacement(text, transform.by)
    from .paths import Adding, Dropping

    return Dropping(text) if kind == "drop" else Adding(text, transform.value)


def _steps(compiled: list[Replacement | OnBodies]) -> tuple[Step, ...]:
    """In the order given; neighbours of a kind run as one."""
    steps: list[Step] = []
    for one in compiled:
        before = steps[-1] if steps else None
        if isinstance(one, OnBodies):
            so_far = before.changes if isinstance(before, Paths) else ()
            step: Step = Paths((*so_far, one))
        else:
            step = Texts((*(before.replacements if isinstance(before, Texts) else ()), one))
        if type(step) is type(before):
            steps.pop()
        steps.append(step)
    return tuple(steps)
