"""What is said to be done and not to be written, by language. A further language is a further table."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Action = Literal["mark", "open", "close", "line", "paragraph", "heading", "bullet", "scratch", "delete_word", "stop"]
Where = Literal["anywhere", "before_pause", "after_pause", "between_pauses", "at_end"]


class Phrase(Struct, frozen=True):
    """Words that stand for something.

    Attributes:
        words: in small letters.
        action: what they do.
        text: the mark that they write; of a heading, its level.
        where: next to which pauses they count. Words that people also use as words ("period", "heading") count only
            where the model wrote a pause; it hears those from the speaker's own.
    """

    words: tuple[str, ...]
    action: Action
    text: str = ""
    where: Where = "anywhere"


class Language(Struct, frozen=True):
    """How a language is dictated.

    Attributes:
        phrases: the longest first.
        literal: the word that takes the next phrase for what it says.
        determiners: after these a phrase is a word ("the comma").
        small: words that have a small letter within a sentence, and so lose the capital that the model gave them.
    """

    phrases: tuple[Phrase, ...]
    literal: str
    determiners: frozenset[str]
    small: frozenset[str]


def _phrases(*listed: tuple[str, Action, str, Where]) -> tuple[Phrase, ...]:
    found = [
        Phrase(tuple(words.strip().split()), action, text, where)
        for names, action, text, where in listed
        for words in names.split("|")
    ]
    return tuple(sorted(found, key=lambda phrase: -len(phrase.words)))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ENGLISH = Language(
    phrases=_phrases(
        ("comma", "mark", ",", "anywhere"),
        ("full stop", "mark", ".", "anywhere"),
        ("period|dot", "mark", ".", "before_pause"),
        ("question mark", "mark", "?", "anywhere"),
        ("exclamation mark|exclamation point", "mark", "!", "anywhere"),
        ("colon", "mark", ":", "before_pause"),
        ("semicolon|semi colon", "mark", ";", "anywhere"),
        ("ellipsis|dot dot dot", "mark", "…", "before_pause"),
        ("open quote|open quotes|open quotation marks|begin quote", "open", '"', "anywhere"),
        ("close quote|close quotes|close quotation marks|end quote|closed quote", "close", '"', "anywhere"),
        ("open bracket|open brackets|open parenthesis", "open", "(", "anywhere"),
        ("close bracket|close brackets|close parenthesis", "close", ")", "anywhere"),
        ("new line|newline", "line", "", "anywhere"),
        ("new paragraph", "paragraph", "", "anywhere"),
        ("heading", "heading", "2", "after_pause"),
        ("heading one|heading 1", "heading", "1", "after_pause"),
        ("heading two|heading 2", "heading", "2", "after_pause"),
        ("heading three|heading 3", "heading", "3", "after_pause"),
        ("bullet|bullet point", "bullet", "", "after_pause"),
        ("scratch that", "scratch", "", "between_pauses"),
        ("delete last word|delete the last word", "delete_word", "", "between_pauses"),
        ("stop dictation", "stop", "", "at_end"),
    ),
    literal="literal",
    determiners=_words(
        "a an the this that these those each every one another no any some my your his her its our their oxford"
    ),
    small=_words(
        "a an the and but or nor so yet for of to in on at by with from as if when while because since although though "
        "that this these those it its he him his she her they them their we us our you your who whom whose which what "
        "where why how is are was were be been has have had do does did will would can could may might shall should "
        "must not no there here then than also only just even still very more most some any all each every both"
    ),
)

_GERMAN = Language(
    phrases=_phrases(
        ("komma", "mark", ",", "anywhere"),
        ("punkt", "mark", ".", "before_pause"),
        ("fragezeichen", "mark", "?", "anywhere"),
        ("ausrufezeichen", "mark", "!", "anywhere"),
        ("doppelpunkt", "mark", ":", "anywhere"),
        ("semikolon|strichpunkt", "mark", ";", "anywhere"),
        ("anführungszeichen auf", "open", "„", "anywhere"),
        ("anführungszeichen zu", "close", "“", "anywhere"),
        ("klammer auf", "open", "(", "anywhere"),
        ("klammer zu", "close", ")", "anywhere"),
        ("neue zeile", "line", "", "anywhere"),
        ("neuer absatz", "paragraph", "", "anywhere"),
        ("überschrift", "heading", "2", "after_pause"),
        ("aufzählung|aufzählungspunkt", "bullet", "", "after_pause"),
        ("streich das|streiche das", "scratch", "", "between_pauses"),
        ("letztes wort löschen|lösche das letzte wort", "delete_word", "", "between_pauses"),
        ("diktat beenden|diktat ende", "stop", "", "at_end"),
    ),
    literal="wörtlich",
    determiners=_words(
        "ein eine einen einem einer eines der die das den dem des dieser diese dieses kein keine jeder jedes"
    ),
    small=_words(
        "und oder aber denn sondern der die das den dem des ein eine einen einem einer in im an am auf mit von vom zu "
        "zum zur bei nach für über unter weil dass wenn als ob ich du er es wir ihr nicht auch nur ist sind war"
    ),
)

LANGUAGES = {"en": _ENGLISH, "de": _GERMAN}
"""By code."""

PLAIN = Language((), "", frozenset(), frozenset())
"""For a language without a table: everything that is said is written."""
