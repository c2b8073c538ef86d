"""How cells come up: what they are made of, when, and how many at once."""
