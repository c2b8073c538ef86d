"""What admins read: audits, frozen accounts, what is outstanding."""
