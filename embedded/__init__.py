"""What starts Shellmate on one machine: PostgreSQL, Valkey, S3, the engine and a supervisor.

Nothing of the product imports this package, and it imports nothing of the product.
"""
