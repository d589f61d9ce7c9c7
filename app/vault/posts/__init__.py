"""Posts and how each was before."""
