"""What people call the assistant's tools."""

from agent.tools import registry

TOOLS = {
    "read": "Reading a file",
    "ls": "Looking through its files",
    "write": "Writing it down",
    "edit": "Writing it down",
    "view_image": "Looking at a picture",
    **{tool.name: tool.label for tool in registry.TOOLS},
}


def in_words(tool: str) -> str:
    """Say what the assistant does with a tool."""
    return TOOLS.get(tool.rpartition("__")[2], "Using a tool")
