"""Which files commonly hold secrets, by their names and where they lie."""

from __future__ import annotations

import re
from pathlib import Path

_FOLDERS = frozenset(
    (".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".password-store", "keyrings", ".mozilla", ".thunderbird")
)
_NAMES = frozenset(
    (
        ".netrc", "_netrc", ".npmrc", ".pypirc", ".pgpass", ".my.cnf", ".git-credentials", ".htpasswd", "shadow",
        "credentials", "credentials.json", "secrets.json", "secrets.toml", "secrets.yaml", "secrets.yml", "vault.key",
        ".bash_history", ".zsh_history", ".python_history", "wallet.dat",
    )
)  # fmt: skip
_PATTERN = re.compile(
    r"\.env(\..*|rc)?|.*\.env|id_(rsa|dsa|ecdsa|ed25519)(_sk)?|.*\.(pem|key|p12|pfx|jks|keystore|kdbx?|asc|gpg|ovpn|tfvars)"
)
_EXAMPLES = (".example", ".sample", ".template", ".dist", ".pub")


def is_private(path: Path) -> bool:
    """Whether a file of this path commonly holds a secret: a key, a password, what a shell was told.

    Args:
        path: absolute, and one that links have been followed of.
    """
    name = path.name.lower()
    if name.endswith(_EXAMPLES):
        return False
    if name in _NAMES or _PATTERN.fullmatch(name):
        return True
    return any(folder.lower() in _FOLDERS for folder in path.parts[:-1])
