"""A cell as its machine sees it: folders, processes, walls, memory and disk."""
