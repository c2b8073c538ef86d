"""The queues that are measured, ours and others', each in its own words and doing the same work."""
