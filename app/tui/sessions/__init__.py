"""The Sessions pane: every conversation that is kept, found again."""
