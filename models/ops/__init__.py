"""Running the service: workers, saved files, retention, and what admins read."""
