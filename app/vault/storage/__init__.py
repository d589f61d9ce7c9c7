"""The encrypted file itself: opening it, writing and reading it side by side, so that nothing is lost."""
