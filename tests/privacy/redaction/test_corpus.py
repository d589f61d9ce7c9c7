"""A thousand messages with planted data: nearly all of it is found, and nearly nothing else."""

from __future__ import annotations

from app.privacy.redaction import Redactor

from .planting import messages


def test_a_thousand_messages_are_redacted_and_restored():
    redactor = Redactor.chosen()
    planted, placed = 0, 0
    missed, wrong = list[tuple[str, str]](), list[str]()
    for message in messages(1000):
        memory = redactor.memory([message.text])
        redacted = memory.redact(message.text)
        assert memory.placeholders.restored(redacted) == message.text
        planted += len(message.values)
        replaced = memory.placeholders.values
        missed += [pair for pair in message.values if not any(pair[1] in value for value in replaced)]
        wrong += [value for value in replaced if not any(true in value or value in true for _, true in message.values)]
        placed += len(replaced)
    assert planted > 1500
    recall, precision = 1 - len(missed) / planted, 1 - len(wrong) / placed
    print(f"{planted} planted: recall {recall:.4f}, precision {precision:.4f}")
    assert recall >= 0.99, missed
    assert precision >= 0.98, wrong
