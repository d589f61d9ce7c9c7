"""sentence-transformers beside our worker, for the benchmark of memory; runs in the environment of the extras.

Reads sentences from the first line of standard input, told apart by the unit separator; each further line has them
embedded once, and the answer is seconds by the clock and of the processors' time.
"""

from __future__ import annotations

import os
import sys
import time

NICENESS = 5
"""As a worker that embeds has it."""


def main(folder: str, threads: int) -> None:
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    os.nice(NICENESS)
    import sentence_transformers
    import torch

    torch.set_num_threads(threads)
    parts = sentence_transformers.sentence_transformer.modules
    transformer = parts.Transformer(folder, max_seq_length=256)
    model = sentence_transformers.SentenceTransformer(modules=[transformer, parts.Pooling(384)], device="cpu")
    sentences = sys.stdin.readline().rstrip("\n").split("\x1f")
    model.encode(sentences[:64])
    print("ready", flush=True)
    while sys.stdin.readline():
        began, taken = time.perf_counter(), time.process_time()
        model.encode(sentences, normalize_embeddings=True)
        print(time.perf_counter() - began, time.process_time() - taken, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
