"""OpenAI, and the many servers that speak as it does: chat completions, responses, plain completions."""
