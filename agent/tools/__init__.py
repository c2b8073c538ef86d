"""Tools of the product's own, which OpenClaw calls over MCP while it answers a message."""
