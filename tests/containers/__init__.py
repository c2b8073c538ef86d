"""The product in containers, built and run without a container engine."""
