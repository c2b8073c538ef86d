"""Background work: the worker process, the clock, mail, audits and upkeep."""
