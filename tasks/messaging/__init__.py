"""The messaging process: fetches what came in from messengers, and sends what goes out to them."""
