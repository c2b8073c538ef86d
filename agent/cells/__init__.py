"""Sandboxed OpenClaw gateways, one for each person at a time."""
