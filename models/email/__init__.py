"""Mail: what is written, and the outbox that it waits in."""
