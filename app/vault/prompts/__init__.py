"""The person's own prompts and personas."""
