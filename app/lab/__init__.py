"""What is tried with several models at once: comparisons, and debates."""
