"""How many workers there are: read from rows, decided by a pure rule, carried out at ECS."""
