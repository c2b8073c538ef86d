"""Files in S3, or in anything that speaks its protocol."""

from collections.abc import Generator
from contextlib import closing
from functools import cached_property
from typing import IO, TYPE_CHECKING, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from settings import Settings

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

PIECE_BYTES = 256 * 1024
MISSING = {"NoSuchKey", "404", "NotFound"}


class NotStored(Exception):
    """There is no file under this key."""


class StorageFailed(Exception):
    """The storage did not answer, or refused."""


class Storage:
    """One bucket. Every method may raise StorageFailed; boto3 has retried by then."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bucket = settings.s3_bucket

    @cached_property
    def _client(self) -> "S3Client":
        key, secret = self._settings.s3_access_key_id, self._settings.s3_secret_access_key
        return boto3.client(  # pyright: ignore[reportUnknownMemberType]  # boto3 has no types
            "s3",
            region_name=self._settings.s3_region,
            endpoint_url=self._settings.s3_endpoint_url,
            aws_access_key_id=key.get_secret_value() if key else None,
            aws_secret_access_key=secret.get_secret_value() if secret else None,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"} if self._settings.s3_endpoint_url else {},
                # rclone does not know S3's newer trailing checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                connect_timeout=5,
                read_timeout=30,
                retries={"mode": "standard", "max_attempts": 3},
                max_pool_connections=32,
            ),
        )

    def put(self, key: str, data: bytes, media_type: str = "application/octet-stream") -> None:
        """Store `data` under `key`, replacing what was there."""
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=media_type)
        except (ClientError, BotoCoreError) as error:
            raise StorageFailed(str(error)) from error

    def get(self, key: str) -> bytes:
        """Return the bytes under `key`, or raise NotStored."""
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            raise _reason(error, key) from error
        except BotoCoreError as error:
            raise StorageFailed(str(error)) from error

    def put_file(self, key: str, file: IO[bytes]) -> None:
        """Store what is in `file` from its beginning on, without having all of it in memory."""
        file.seek(0)
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=file)
        except (ClientError, BotoCoreError) as error:
            raise StorageFailed(str(error)) from error

    def stream(self, key: str) -> Generator[bytes]:
        """Yield the bytes under `key` in pieces; NotStored comes before the first of them."""
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
        except ClientError as error:
            raise _reason(error, key) from error
        except BotoCoreError as error:
            raise StorageFailed(str(error)) from error
        return _pieces(body)

    def delete(self, key: str) -> None:
        """Remove what is under `key`; nothing happens if there is nothing."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if not isinstance(_reason(error, key), NotStored):
                raise StorageFailed(str(error)) from error
        except BotoCoreError as error:
            raise StorageFailed(str(error)) from error

    def list(self, prefix: str) -> list[str]:
        """List all keys that begin with `prefix`."""
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix
            )
            return [
                item["Key"] for page in pages for item in page.get("Contents", []) if "Key" in item
            ]
        except (ClientError, BotoCoreError) as error:
            raise StorageFailed(str(error)) from error

    def check(self) -> None:
        """Return if the bucket can be reached; raise StorageFailed if not."""
        try:
            self._client.head_bucket(Bucket=self._bucket)
        except (ClientError, BotoCoreError) as error:
            raise StorageFailed(str(error)) from error

    def ensure_bucket(self) -> None:
        """Create the bucket if it is not there; only the embedded stack and tests need this."""
        try:
            self.check()
        except StorageFailed:
            try:
                self._client.create_bucket(Bucket=self._bucket)
            except (ClientError, BotoCoreError) as error:
                raise StorageFailed(str(error)) from error


def _pieces(body: "StreamingBody") -> Generator[bytes]:
    with closing(body):
        try:
            yield from body.iter_chunks(PIECE_BYTES)
        except BotoCoreError as error:
            raise StorageFailed(str(error)) from error


def _reason(error: ClientError, key: str) -> NotStored | StorageFailed:
    details = cast(dict[str, dict[str, str]], error.response)
    code = details.get("Error", {}).get("Code", "")
    return NotStored(key) if code in MISSING else StorageFailed(str(error))
