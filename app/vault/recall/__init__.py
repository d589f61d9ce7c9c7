"""What memory keeps and finds again."""
