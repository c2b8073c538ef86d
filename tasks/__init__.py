"""Background work: thin Dramatiq actors, the worker's entry point, the clock."""
