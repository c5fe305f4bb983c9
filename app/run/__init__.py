"""A run: what it is, what is done to it, how it is kept, and its JSON."""
