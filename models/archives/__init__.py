"""What users take along when they go, and what they bring when they come."""
