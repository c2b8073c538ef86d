"""The Stripe stand-in: takes payments in which no real money moves, when no key of Stripe is given.

It speaks the part of Stripe's API that the product uses, has a payment page and a page for the
saved card, keeps what it is told in one file, and tells the product by signed webhooks. Tests
switch what goes wrong (see `control`).
"""
