"""Work on bytes that somebody else chose, in processes of their own that can be killed.

What a parser of Markdown, PDFs or pictures does with hostile input is nobody's to foresee: it may
take minutes, gigabytes, or obey the input. So parsers run in helper processes: without secrets,
files or network, with limits of time, memory and output. `rendering`, `reading` and `uploads` are
what the product calls; `inside` is what runs in a helper and is imported nowhere else.
"""
