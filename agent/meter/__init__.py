"""The meter: between OpenClaw and the providers, it holds the keys, counts and stops."""
