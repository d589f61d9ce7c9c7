"""Files that go with a prompt: read, checked, and made parts of a message.

Every chat imports ``sending``, which is small; ``files`` only when there is one.
"""
