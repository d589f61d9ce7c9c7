"""The Blog pane: the posts that are kept, and the desk where one is written."""
