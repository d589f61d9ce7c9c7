"""What was asked of models, and what it took: notes, usage, figures over time."""
