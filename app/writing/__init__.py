"""Writing posts: what a text is made of, what a model proposes for it, and where it goes when it is done."""
