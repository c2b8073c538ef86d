"""The page of what a user's assistant knows about them."""
