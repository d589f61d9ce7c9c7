"""The Server pane: switches the server on and off, and shows who asks it what."""
