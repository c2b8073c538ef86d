"""People: users, the ways to sign in, sessions, and what proves an address."""
