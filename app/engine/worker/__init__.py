"""The worker: a child process that owns one model and the native code that runs it.

Started with ``python -m app.engine.worker``; what it is told and what it answers is in ``app.engine.frames``.
"""
