"""llama.cpp's own server code, over HTTP: the ``xllamacpp`` wheel. Ends when its stdin does.

Its parameters are those of ``contestant_peer.py``: as many threads and places as ours has.
"""

from __future__ import annotations

import json
import sys

import workload
import xllamacpp


def main(model: str, key: str) -> None:
    import psutil

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.n_ctx = workload.CELLS
    params.n_parallel = workload.SEQUENCES
    params.kv_unified = True
    params.cont_batching = True
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = psutil.cpu_count(logical=False)
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED
    params.verbosity = -1
    server = xllamacpp.Server(params)
    print(json.dumps({"address": server.listening_address}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
