"""The key that signs what browsers are pushed, made once for each data folder."""

from base64 import urlsafe_b64encode

from embedded.data_folder import DataFolder


def vapid_key(folder: DataFolder) -> str:
    """Return the key as settings have it; browsers are subscribed to it, so it stays the same."""
    secret = bytes.fromhex(folder.secret("vapid"))
    return urlsafe_b64encode(secret).decode().rstrip("=")
