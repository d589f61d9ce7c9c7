"""Model files: fetched, checked, kept, described."""
