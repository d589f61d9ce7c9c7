"""Prompts and personas, texts with variables that are used again: the program’s, the person’s own, those of files."""
