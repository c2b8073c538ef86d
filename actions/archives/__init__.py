"""What becomes an archive of all that is a user's, and what becomes of one that they bring."""
