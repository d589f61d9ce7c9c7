"""Opening the vault, and what guards it."""
