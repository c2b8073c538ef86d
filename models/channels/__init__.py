"""Messengers of users, as the database knows them: accounts, links, updates, deliveries."""
