"""Keeps ECS from stopping the task that we are in, for scaling in or for a deploy."""

import requests

# Longer than any turn; a worker that hangs does not keep its task for ever.
MINUTES = 60
TIMEOUT_SECONDS = 5


class ProtectionFailed(Exception):
    """The agent of ECS did not answer, or refused."""


def protect(agent_uri: str) -> None:
    """Keep the task from being stopped for the next hour."""
    _put(agent_uri, {"ProtectionEnabled": True, "ExpiresInMinutes": MINUTES})


def release(agent_uri: str) -> None:
    """Let the task be stopped."""
    _put(agent_uri, {"ProtectionEnabled": False})


def _put(agent_uri: str, state: dict[str, bool | int]) -> None:
    address = f"{agent_uri}/task-protection/v1/state"
    try:
        answer = requests.put(address, json=state, timeout=TIMEOUT_SECONDS)
        told = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise ProtectionFailed(str(error)) from error
    # It answers 200 with a failure in it, too.
    if not answer.ok or "protection" not in told:
        raise ProtectionFailed(f"{answer.status_code}: {answer.text[:200]}")
