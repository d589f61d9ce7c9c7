"""What is known afterwards of every request: watched as it runs, noted in the vault behind it."""
