"""A thousand English sentences to compare embedders on: half from Python's own manual, half of everyday life."""

from __future__ import annotations

import random
import re
from itertools import islice
from pydoc_data.topics import topics

_WHO = (
    "My grandmother|The plumber|Our neighbour's cat|A tired nurse|The whole orchestra|Nobody in the village|"
    "The youngest of the three brothers|An accountant from Leeds|Her physics teacher|The ferry's captain|"
    "A committee of experts|The dog|Their solicitor|The baker on Mill Street|Every second visitor"
)
_DID = (
    "forgot to water|finally sold|wrote a long letter about|could not stop laughing at|carefully measured|dropped|"
    "has always wanted|would rather not discuss|painted|is still looking for|complained about|photographed|"
    "paid far too much for|dreamt of|will inspect|never understood|borrowed|ruined"
)
_WHAT = (
    "the tomatoes|a second-hand bicycle|the new timetable|seven jars of honey|the broken boiler|a map of the moon|"
    "the results of the blood test|an umbrella|the minutes of the meeting|two tickets to Vienna|the piano|"
    "the interest rate|a bowl of onion soup|the leaking roof|his late uncle's watch|the proof of the theorem"
)
_WHEN = (
    "on Thursday|before the rain came|while the children slept|for no reason at all|in the winter of 1987|"
    "after three cups of coffee|at a quarter past six|despite the doctor's advice|because the train was late|"
    "as quietly as possible|without telling anyone|when the lights went out|to everybody's surprise"
)
_SENTENCE = re.compile(r"[A-Z][^.!?*`|_=<>\[\]{}]{25,300}[.!?](?=\s)")


def sentences(count: int = 1000, seed: int = 20260) -> tuple[str, ...]:
    """So many different sentences, the same at every call."""
    chance = random.Random(seed)
    manual = sorted({" ".join(found.split()) for text in topics.values() for found in _SENTENCE.findall(text)})
    chance.shuffle(manual)
    everyday = dict.fromkeys(_everyday(chance) for _ in range(3 * count))
    half = min(count // 2, len(manual))
    found = [*manual[:half], *islice(everyday, count - half)]
    chance.shuffle(found)
    assert len(set(found)) == count
    return tuple(found)


def _everyday(chance: random.Random) -> str:
    first = f"{chance.choice(_WHO.split('|'))} {chance.choice(_DID.split('|'))} {chance.choice(_WHAT.split('|'))}"
    return f"{first} {chance.choice(_WHEN.split('|'))}."
