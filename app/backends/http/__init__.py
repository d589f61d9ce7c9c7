"""Connections to one provider: HTTP/1.1 by aiohttp, HTTP/2 by httpcore2 where TLS agrees on it.

Both libraries are imported at the first request only: starting the program must not wait for them.
"""
