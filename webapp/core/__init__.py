"""What every page needs: sessions, the database, errors, limits, formats, live events."""
