"""Ollama's API, for clients that were written for it: https://github.com/ollama/ollama/blob/main/docs/api.md."""
