"""Connections to one provider: HTTP/1.1 with httptools' parser, HTTP/2 by h2 where TLS agrees on it.

Ready-made clients of HTTP/2 (httpx2 2.16 was tried) do not tell the peer when nobody reads a stream on, so a model goes
on for nobody, and they break every stream that runs when the peer says that it will close. So the streams are our own.

The libraries are imported at the first request only: starting the program must not wait for them.
"""
