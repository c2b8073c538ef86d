"""Work on bytes that somebody else chose, in processes of their own."""
