"""Where everything is kept."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings


class StoreSettings(BaseSettings):
    """Where everything is kept."""

    # Stores
    database_url: SecretStr
    redis_url: SecretStr
    s3_bucket: str = "shellmate"
    s3_region: str = "us-east-1"
    # Unset means Amazon's own; then keys come from the task's role.
    s3_endpoint_url: str | None = None
    s3_access_key_id: SecretStr | None = None
    s3_secret_access_key: SecretStr | None = None
