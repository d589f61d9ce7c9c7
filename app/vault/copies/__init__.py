"""Whole vaults copied: backups, bringing one back, rewriting all data under a new key."""
