"""A small made-up web below `.example`, and a search engine that knows it, for `make run`.

The engine speaks as SearXNG does, and as Brave does for whoever tests that. Some pages are hostile,
as they are on the real web: they ask an assistant for what it knows.
"""
