"""The pages of admins: the overview, users, the queue, workers, profit, the books and the log."""
