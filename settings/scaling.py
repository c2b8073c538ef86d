"""How many workers there are, where ECS runs them."""

from pydantic import Field
from pydantic_settings import BaseSettings

# What a worker service may at most become, whatever is asked for.
MOST_WORKERS = 50


class ScalingSettings(BaseSettings):
    """How many workers there are, where ECS runs them."""

    # The service of the workers. Without it nobody starts or stops any.
    ecs_cluster: str = ""
    ecs_worker_service: str = ""
    ecs_region: str = "us-east-1"
    # Unset means Amazon's own.
    ecs_endpoint_url: str | None = None
    # Set by ECS: where a worker keeps its task from being stopped.
    ecs_agent_uri: str | None = None
    fewest_workers: int = Field(default=1, ge=0, le=MOST_WORKERS)
    most_workers: int = Field(default=MOST_WORKERS, ge=1, le=MOST_WORKERS)
    # How often the queue is looked at for it, and which part of all cells should be at work.
    scaling_seconds: float = Field(default=5, gt=0)
    scaling_target_percent: int = Field(default=70, ge=10, le=100)
    # Fewer than now are wanted only after demand was lower for so long.
    scaling_calm_seconds: float = Field(default=120, ge=0)
