"""What a user or the clock does that needs both the database and the network, a file for each.

An action opens a transaction, talks to the outside world outside of it, and wakes the workers after
the commit. Pages and workers call actions; actions know neither.
"""
