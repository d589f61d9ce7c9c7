"""The terminal interface in a browser on this machine: the same program, in a terminal that a page shows."""
