"""A made-up year of the business, for looking at the admin pages: the same for the same seed."""
