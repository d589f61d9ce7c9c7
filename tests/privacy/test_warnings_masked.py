"""What is warned of where no log is kept: on stderr, and without secrets, in tracebacks either."""

import subprocess
import sys

_PROGRAM = """
import logging, os
from app.__main__ import mask_warnings
mask_warnings(os.environ)
key = os.environ["SOME_API_KEY"]
logging.getLogger("a.library").warning("asked with %s", key)
try:
    raise ValueError("no such key: " + key)
except ValueError:
    logging.getLogger("app.routing").exception("it failed")
"""


def test_no_warning_shows_a_secret():
    secret = "tulip-harbour-9381-meadow"
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env={"SOME_API_KEY": secret}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "asked with" in done.stderr
    assert "it failed" in done.stderr
    assert "ValueError" in done.stderr
    assert secret not in done.stderr
    assert secret not in done.stdout
