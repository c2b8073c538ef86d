"""Messengers: where they hand in what was written there, and where a user connects them."""
