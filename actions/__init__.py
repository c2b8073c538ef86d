"""What somebody does: one file for each thing, above the tables and below every way in."""
