"""A worker that speaks the real frames and does what the first word of the last message says. Its model is a parrot."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from app.engine import frames
from app.engine.frames import (
    Cancel,
    Counted,
    CountTokens,
    Failed,
    Generate,
    Loaded,
    LoadFailed,
    Loading,
    Piece,
    Ping,
    Prefilling,
    Shutdown,
    Status,
    Step,
)
from app.engine.worker.pipe import FramePipe
from app.messages import Usage


class Parrot:
    def __init__(self, pipe: FramePipe) -> None:
        self.pipe = pipe
        self.running: set[int] = set()
        self.decoded = 0

    def answer(self, request_id: int, text: str) -> None:
        word, _, rest = text.partition(" ")
        if word == "fail":
            self.pipe.write(Failed(request_id, "context_overflow", "Too long.", "Shorten."))
            return
        self.pipe.write(Prefilling(request_id, 10, 4, 4))
        if word == "segfault":
            self.pipe.write(Step((Piece(request_id, "before"),)))
            print("about to crash", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGSEGV)
        if word == "exit":
            self.pipe.write(Step((Piece(request_id, "before"),)))
            os._exit(7)
        if word == "close":
            os.close(self.pipe._target)
            time.sleep(60)
        if word == "garbage":
            os.write(self.pipe._target, b"\xff\xff\xff\xffgarbage")
            time.sleep(60)
        if word == "flood":
            for number in range(int(rest)):
                self.pipe.write(Step((Piece(request_id, f"{number} "),)))
        elif word == "forever":
            self.running.add(request_id)
            threading.Thread(target=self.chatter, args=(request_id,), daemon=True).start()
            return
        elif word == "log":
            sys.stderr.write("\x1b[31m" + rest * 1000 + "\n")
            sys.stderr.flush()
        else:
            for character in text:
                self.pipe.write(Step((Piece(request_id, character),)))
        self.pipe.write(Step((Piece(request_id, "", (), "stop", Usage(10, len(text), 4)),)))

    def chatter(self, request_id: int) -> None:
        while request_id in self.running:
            self.decoded += 1
            self.pipe.write(Step((Piece(request_id, "more "),)))
            time.sleep(0.002)


def main() -> None:
    pipe = FramePipe.over_stdio()
    body = pipe.read()
    assert body is not None
    options = frames.decode_options(body)
    mode = options.path.rpartition("/")[2]
    pipe.write(Loading(0.0))
    if mode == "refuse":
        pipe.write(LoadFailed("No.", "Try another."))
        sys.exit(1)
    if mode == "die":
        print("dying on load", file=sys.stderr, flush=True)
        os.abort()
    if mode == "slow":
        for step in range(10):
            pipe.write(Loading(step / 10))
            time.sleep(0.05)
    if mode == "hang":
        time.sleep(600)
    pipe.write(Loading(1.0))
    pipe.write(Loaded("parrot", 128, 128, 256, options.sequences, "CPU", 0, 1, 1000))
    parrot = Parrot(pipe)
    while (body := pipe.read()) is not None:
        match frames.decode_command(body):
            case Generate(request_id, request):
                parrot.answer(request_id, request.messages[-1].text)
            case CountTokens(request_id, request):
                pipe.write(Counted(request_id, len(request.messages[-1].text)))
            case Cancel(request_id):
                parrot.running.discard(request_id)
            case Ping(request_id):
                pipe.write(Status(request_id, len(parrot.running), 0, 0, 256, parrot.decoded))
            case Shutdown():
                if mode == "stubborn":
                    time.sleep(600)
                break


if __name__ == "__main__":
    main()
