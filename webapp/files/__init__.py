"""The files of a user: what they sent, and what their assistant made."""
