"""Recordings: which container one is in, and how long it takes to play it.

Only containers are read; nothing is decoded. A length is added up from what would be played (the
packets, frames and samples of a recording), since what a header says of it costs nothing to write.
"""
