"""No core dumps: the memory of our processes holds conversations and the vault's key, and a dump is a plain file."""

from __future__ import annotations

import sys


def forbid_core_dumps() -> None:
    """Keeps this process, and all that it starts, from being written to disk when it dies. Call it before all else.

    By the limit of the core file alone. ``PR_SET_DUMPABLE`` would do the same, but gives ``/proc/self`` to root: then
    the workers could not map their user into a namespace without network, nor lower their own weight, and a developer
    could look at no process of ours.
    """
    if sys.platform == "win32":
        return
    import resource

    # Linux gives a dump to a collecting program (apport, systemd-coredump) whatever the limit is, but for a limit of 1
    # byte, which it takes for "none at all"; and a file of 1 byte is never begun (fs/coredump.c).
    wanted = 1 if sys.platform == "linux" else 0
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    resource.setrlimit(resource.RLIMIT_CORE, (wanted, wanted))
