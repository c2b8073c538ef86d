"""The service of the workers at ECS: how many tasks it is asked to run."""

from functools import cached_property
from typing import Any, Protocol, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from settings import Settings


class _Client(Protocol):
    """What is asked of boto3's client."""

    def describe_services(self, *, cluster: str, services: list[str]) -> dict[str, Any]: ...

    def update_service(self, *, cluster: str, service: str, desiredCount: int) -> Any: ...  # noqa: N803


class EcsFailed(Exception):
    """ECS did not answer, or refused."""


class EcsService:
    """One service. Its methods raise EcsFailed; the next look tries again, so boto3 hardly does."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cluster, self._service = settings.ecs_cluster, settings.ecs_worker_service

    @cached_property
    def _client(self) -> _Client:
        settings = self._settings
        config = Config(connect_timeout=3, read_timeout=5, retries={"max_attempts": 1})
        made = boto3.client(  # pyright: ignore  # boto3 has no types
            "ecs",
            region_name=settings.ecs_region,
            endpoint_url=settings.ecs_endpoint_url,
            config=config,
        )
        return cast("_Client", made)

    def desired(self) -> int:
        """Return how many tasks ECS keeps running."""
        try:
            told = self._client.describe_services(cluster=self._cluster, services=[self._service])
        except (ClientError, BotoCoreError) as error:
            raise EcsFailed(str(error)) from error
        found = told.get("services", [])
        if not found:
            raise EcsFailed(f"There is no service {self._service} in {self._cluster}.")
        return int(found[0]["desiredCount"])

    def set_desired(self, count: int) -> None:
        """Ask for so many tasks; ECS stops none that protects itself."""
        try:
            self._client.update_service(
                cluster=self._cluster, service=self._service, desiredCount=count
            )
        except (ClientError, BotoCoreError) as error:
            raise EcsFailed(str(error)) from error
