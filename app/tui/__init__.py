"""The terminal interface: screens, panes and widgets over the same parts as the command line and the server."""
