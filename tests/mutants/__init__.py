"""Faults that are planted by hand, each of which a fast test must notice (`make mutants`)."""
