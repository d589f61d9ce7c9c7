"""Other programs' way in: what clients of OpenAI, Anthropic, Ollama and llama.cpp say, as the same neutral requests."""
