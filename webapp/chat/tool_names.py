"""What people call the assistant's tools."""

TOOLS = {
    "memory_search": "Looking into its notes",
    "memory_get": "Reading its notes",
    "read": "Reading a file",
    "ls": "Looking through its files",
    "write": "Writing it down",
    "edit": "Writing it down",
    "view_image": "Looking at a picture",
}


def in_words(tool: str) -> str:
    """Say what the assistant does with a tool."""
    return TOOLS.get(tool.rpartition("__")[2], "Using a tool")
