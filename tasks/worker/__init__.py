"""One worker process: claiming jobs, running turns, writing down how they ended."""
