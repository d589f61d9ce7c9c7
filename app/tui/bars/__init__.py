"""The one-line bars at the edges: tabs, status, keys."""
