"""What every channel is: a messenger through which users write, and are written to.

This package says what a channel can do and how a message looks on its way in and out, and knows
neither the database nor any messenger. Each messenger implements `channels.base.Channel`.
"""
