"""Headings are those that a reader of the page would see."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.writing.outline import Heading, outline

TEXT = """\
# Why *lighthouses*

Text.

Light and `fog`
---------------

```markdown
# not this
```

> # nor this

- # nor this

### Deep ###
"""


def test_headings_have_their_level_words_and_line():
    assert outline(TEXT) == (
        Heading(1, "Why lighthouses", 0),
        Heading(2, "Light and fog", 4),
        Heading(3, "Deep", 15),
    )


@given(st.text(alphabet="#=-` >*\n\tab[]()", max_size=200))
def test_any_text_has_an_outline_within_it(text):
    lines = text.count("\n") + 1
    assert all(0 <= heading.line < lines and 1 <= heading.level <= 6 for heading in outline(text))
