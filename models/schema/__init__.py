"""The tables, which import nothing of ours but models.base and each other."""
