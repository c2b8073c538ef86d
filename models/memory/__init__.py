"""What assistants know of their users: notes, their history, and finding them."""
