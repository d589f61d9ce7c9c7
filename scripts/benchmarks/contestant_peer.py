"""The peer: llama.cpp's own server code, called in its process without HTTP, which can only favour it.

Speaks lines of JSON: a number of streams in, tokens and seconds out.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

import workload
import xllamacpp


def main(model: str) -> None:
    import psutil

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = workload.CELLS
    params.n_parallel = workload.SEQUENCES
    params.kv_unified = True
    params.cont_batching = True
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = psutil.cpu_count(logical=False)
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED
    params.verbosity = -1
    server = xllamacpp.Server(params)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        streams = json.loads(line)["streams"]
        counts = [0] * streams

        def one(number: int, counts: list[int] = counts) -> None:
            def heard(chunk: dict[str, Any]) -> None:
                if "usage" in chunk:  # the last one, and what the peer itself counted
                    counts[number] = chunk["usage"]["completion_tokens"]

            body = {
                "prompt": workload.prompt(number),
                "n_predict": workload.TOKENS,
                "max_tokens": workload.TOKENS,
                "temperature": 0,
                "ignore_eos": True,
                "stream": True,
                "cache_prompt": True,
            }
            server.handle_completions(body, heard)

        threads = [threading.Thread(target=one, args=(number,)) for number in range(streams)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - began
        if counts != [workload.TOKENS] * streams:
            raise SystemExit(f"{workload.TOKENS} tokens a stream were asked for, the peer gave {counts}")
        print(json.dumps({"tokens": sum(counts), "seconds": took}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
