"""The stand-in for ECS, for tests."""
