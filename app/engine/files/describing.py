"""What a model's file says of the model: its kind, how many weights it has, how they are rounded."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from app.engine.fitting import parts_of
from app.errors import IntegrityError

from .gguf import read_header

_ROUNDINGS = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K",
    19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL",
    26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0",
    37: "TQ2_0", 38: "MXFP4",
}  # fmt: skip
"""By the number of ``general.file_type``: ``llama_ftype`` in llama.h."""

_BILLION, _MILLION, _THOUSAND = 10**9, 10**6, 10**3


@dataclass(frozen=True)
class Description:
    """What a file says; empty and 0 where it does not.

    Attributes:
        family: of architectures, as llama.cpp calls it.
        parameters: weights.
        rounding: how they are quantised, such as ``Q4_K_M``.
    """

    family: str = ""
    parameters: int = 0
    rounding: str = ""

    @property
    def size(self) -> str:
        """The number of weights in few characters: ``134.52M``, ``1.2B``."""
        count = self.parameters
        if count >= _BILLION:
            return f"{count / _BILLION:.1f}B".replace(".0B", "B")
        if count >= _MILLION:
            return f"{count / _MILLION:.2f}M".replace(".00M", "M")
        return f"{count / _THOUSAND:.0f}K" if count >= _THOUSAND else str(count or "")


class Descriptions:
    """Reads what files say, each once for as long as it stays as it is. Belongs to one event loop."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, int], Description]] = {}

    async def of(self, path: Path | None) -> Description:
        """What a file says; nothing of a file that is missing, not sound, or of another format than GGUF."""
        if path is None or path.suffix != ".gguf":
            return Description()
        try:
            found = await asyncio.to_thread(path.stat)
            state = (found.st_mtime_ns, found.st_size)
            known = self._known.get(path)
            if known is None or known[0] != state:
                known = self._known[path] = (state, await asyncio.to_thread(describe, path))
        except (IntegrityError, OSError):
            # Said where the file is loaded or verified; a list of models is no place for it.
            return Description()
        return known[1]


def describe(path: Path) -> Description:
    """What a GGUF file says; of a split one, the weights of all parts.

    Raises:
        IntegrityError: when it is not sound.
        OSError: when it cannot be read.
    """
    first = read_header(path)
    others = [read_header(part) for part in parts_of(path) if part.name != path.name]
    kind = first.metadata.get("general.file_type")
    return Description(
        family=str(first.metadata.get("general.architecture", "")),
        parameters=first.parameters + sum(other.parameters for other in others),
        rounding=_ROUNDINGS.get(kind, "") if isinstance(kind, int) else "",
    )
