"""Certificates that are good for this machine for as long as a test runs."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificates:
    """An authority, and a certificate of localhost signed by it, as files in PEM."""

    ca: Path
    chain: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        """How a server shows it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context


def certificates(folder: Path, host: str = "localhost") -> Certificates:
    """Fresh ones."""
    authority = trustme.CA()
    leaf = authority.issue_cert(host)
    found = Certificates(folder / "ca.pem", folder / "chain.pem", folder / "key.pem")
    authority.cert_pem.write_to_path(str(found.ca))
    found.chain.write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(str(found.key))
    return found
