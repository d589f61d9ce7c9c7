"""Our scheduler without frames and pipe: what it says stays in its own process.

Speaks lines of JSON: a number of streams in, tokens and seconds out.
"""

from __future__ import annotations

import json
import sys
import threading
import time

import workload

from app.engine.frames import Event, Generate, LoadOptions, Step
from app.engine.worker.chat import ChatWorker
from app.engine.worker.native import NativeLog
from app.messages import ChatRequest, Message, Sampling

BANNED = {0: -1000.0, 2: -1000.0, 4: -1000.0}
"""The starter model's tokens that end an answer."""


def main(model: str) -> None:
    sys.setswitchinterval(0.0005)
    news = threading.Condition()
    tokens: dict[int, int] = {}

    def heard(event: Event) -> None:
        if isinstance(event, Step):
            with news:
                for piece in event.pieces:
                    if piece.reason and piece.usage:
                        tokens[piece.request_id] = piece.usage.completion_tokens
                        news.notify()

    log = NativeLog(lambda text: None)
    options = LoadOptions(
        path=model,
        context=workload.CONTEXT,
        cells=workload.CELLS,
        sequences=workload.SEQUENCES,
        device="cpu",
        speculation="off",
    )
    worker = ChatWorker(options, heard)
    worker.start()
    print(json.dumps({"ready": True}), flush=True)
    next_id = 0
    for line in sys.stdin:
        streams = json.loads(line)["streams"]
        began = time.perf_counter()
        ids = range(next_id, next_id := next_id + streams)
        for number, request_id in enumerate(ids):
            messages = (Message.system(workload.SYSTEM), Message.user(workload.question(number)))
            sampling = Sampling(temperature=0.0, max_tokens=workload.TOKENS, logit_bias=BANNED)
            worker.handle(Generate(request_id, ChatRequest(model="m", messages=messages, sampling=sampling)))
        with news:
            while not all(request_id in tokens for request_id in ids):
                news.wait()
        took = time.perf_counter() - began
        print(json.dumps({"tokens": sum(tokens[i] for i in ids), "seconds": took}), flush=True)
    worker.close()
    del log


if __name__ == "__main__":
    main(sys.argv[1])
