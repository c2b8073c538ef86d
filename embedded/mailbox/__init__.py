"""The mailbox: a mail server that delivers nothing, and a page on which its mail can be read.

It takes every mail of the product when no other server is named, so that a link in a mail can be
opened on a machine that sends none.
"""
