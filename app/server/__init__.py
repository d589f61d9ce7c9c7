"""Other programs' way in: the wire formats of OpenAI, Anthropic, Ollama and llama.cpp over the same neutral requests."""
