"""The library of prompts and personas: choosing one, filling it in, writing it."""
