"""OpenAI's API: chat completions, completions, responses, embeddings, transcriptions, models."""
