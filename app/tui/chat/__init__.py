"""The Chat pane: composer, transcript, and what stands in them."""
