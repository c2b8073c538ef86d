"""Keeps the task of a worker from being stopped by ECS while anything may run in it."""

import time

import structlog

from gateways import task_protection
from gateways.task_protection import MINUTES, ProtectionFailed

log = structlog.get_logger()

RENEW_SECONDS = MINUTES * 60 / 3


class Protection:
    """Renewed by each heartbeat when it is time; where there is no ECS it does nothing."""

    def __init__(self, agent_uri: str | None) -> None:
        self._agent_uri = agent_uri
        self._renew_at = 0.0

    def renew(self) -> None:
        """Protect the task, unless that was done lately; it never raises.

        What fails is tried again at the next heartbeat. Turns are taken meanwhile: one that ECS
        ends goes back to the queue, and nobody served would be worse.
        """
        if self._agent_uri is None or time.monotonic() < self._renew_at:
            return
        try:
            task_protection.protect(self._agent_uri)
        except ProtectionFailed as failure:
            log.error("protection.missing", error=str(failure))
        else:
            self._renew_at = time.monotonic() + RENEW_SECONDS

    def release(self) -> bool:
        """Let the task be stopped; return whether that was heard. It never raises."""
        if self._agent_uri is None:
            return True
        try:
            task_protection.release(self._agent_uri)
        except ProtectionFailed as failure:
            log.warning("protection.kept", error=str(failure))
            return False
        return True
