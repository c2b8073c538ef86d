"""The Telegram stand-in: a messenger for one machine, when no token of a bot is given.

It speaks the part of the Bot API that the product uses, with Telegram's limits and its words for
what it refuses, and has a page that looks like a phone, on which anybody can be the person who
writes to the bot. Tests write as people by JSON (see `phone`) and switch what goes wrong (see
`control`).

It is stricter than Telegram in two ways, so that what only happens to work is found here: entities
that overlap or may not be nested are refused, where Telegram quietly mends them, and 4,096 UTF-16
units are the most in a message, where Telegram counts characters.
"""
