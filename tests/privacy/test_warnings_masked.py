"""What is warned of where no log is kept: on stderr, and without secrets, in tracebacks either."""

import subprocess
import sys

_PROGRAM = """
import logging, os
from app.__main__ import mask_warnings
from app.cli.session import Session
from app.privacy.masking import Masker
masker = Masker.of_environment(os.environ)
mask_warnings(masker)
Session(os.environ, print, None, masker).open().masker.learn("of-the-vault-only")  # as a key that is fetched later
logging.getLogger("app.routing").warning("fetched %s", "of-the-vault-only")
key = os.environ["SOME_API_KEY"]
logging.getLogger("a.library").warning("asked with %s", key)
try:
    raise ValueError("no such key: " + key)
except ValueError:
    logging.getLogger("app.routing").exception("it failed")
"""


def test_no_warning_shows_a_secret(tmp_path):
    secret = "tulip-harbour-9381-meadow"
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env={"SOME_API_KEY": secret, "PLAYGROUND_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "asked with" in done.stderr
    assert "it failed" in done.stderr
    assert "ValueError" in done.stderr
    assert secret not in done.stderr
    assert secret not in done.stdout
    assert "fetched" in done.stderr and "of-the-vault-only" not in done.stderr
