"""What is remembered of conversations and posts, and recalled when it fits a question."""
