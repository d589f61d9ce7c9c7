"""Answers that are given again: to which request, from where, and for how long."""
