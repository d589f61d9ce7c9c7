"""Small screens that lie over the panes: pickers, help, questions."""
