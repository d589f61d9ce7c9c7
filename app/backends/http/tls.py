"""Which certificates are believed."""

from __future__ import annotations

import ssl

from app.backends.endpoint import Endpoint
from app.errors import CatalogueError


def context_of(endpoint: Endpoint) -> ssl.SSLContext:
    """How TLS is spoken to an endpoint. Reads the system's authorities, so it takes some milliseconds.

    Raises:
        CatalogueError: the file of authorities cannot be used.
    """
    context = ssl.create_default_context()
    if endpoint.ca:
        try:
            context.load_verify_locations(endpoint.ca)
        except (OSError, ssl.SSLError) as error:
            raise CatalogueError(
                f"Endpoint {endpoint.name} names {endpoint.ca!r} as its file of authorities, "
                f"and that cannot be read: {error.strerror or error}.",
                "Give the path of a file with certificates in PEM.",
            ) from error
    if not endpoint.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
