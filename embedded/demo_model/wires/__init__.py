"""The formats the demo model speaks: how a request is read, and how an answer is written."""
