"""The Requests pane, which looks through the notes of requests; and what leaves the machine, looked at beforehand."""
