"""The demo model: answers when no provider's key is given, and lets tests script what it does.

It is no intelligence: it finds words in what it is sent and fills sentences. But it speaks the
formats of OpenAI, Anthropic and Gemini as their servers do, streams, calls tools and counts tokens,
so everything around it works as it would with a real one.
"""
