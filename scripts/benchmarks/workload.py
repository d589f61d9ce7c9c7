"""What every contestant of the engine benchmark is asked: the same prompts, the same number of tokens."""

from __future__ import annotations

TOKENS = 128
STREAMS = (1, 4, 8, 16)
CONTEXT = 4096
CELLS = 8192
SEQUENCES = 16
THREADS = 0

SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"


def question(number: int) -> str:
    """What stream ``number`` asks for."""
    return f"Write a long story about a lighthouse keeper, the sea and the number {number}."


def prompt(number: int) -> str:
    """The question as the starter model's chat template renders it."""
    return (
        f"<|im_start|>system\n{SYSTEM}<|im_end|>\n"
        f"<|im_start|>user\n{question(number)}<|im_end|>\n<|im_start|>assistant\n"
    )
