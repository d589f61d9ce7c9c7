"""Requests for remote models that pass through as they came."""
