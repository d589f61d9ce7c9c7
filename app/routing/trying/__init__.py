"""One request at one remote model: which of its places is asked, how often, and which is left alone."""
