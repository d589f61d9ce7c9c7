"""Dictation into whatever text has the keys."""
