"""People: accounts, how they are opened, and what leads back into them."""
