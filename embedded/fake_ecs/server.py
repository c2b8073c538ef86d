"""What ECS is asked: by the clock its service, by each task its agent, by tests everything."""

import json
from typing import Any

from aiohttp import web

from embedded.fake_ecs.service import Service

TARGET = "AmazonEC2ContainerServiceV20141113."
NAMES = ("shellmate", "workers")


class Endpoints:
    """The addresses in front of a service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/", self._ask),
            web.put("/agent/{task}/task-protection/v1/state", self._protect),
            web.get("/_control", self._show),
            web.put("/_control", self._change),
            web.delete("/_control/tasks/{task}", self._kill),
        ]

    async def _ask(self, request: web.Request) -> web.Response:
        asked = json.loads(await request.read())
        operation = request.headers.get("X-Amz-Target", "").removeprefix(TARGET)
        named = asked.get("service") or next(iter(asked.get("services", [])), "")
        if (asked.get("cluster"), named) != NAMES:
            return _failed("ServiceNotFoundException", "There is no such service.")
        if operation == "UpdateService":
            self._service.desired = int(asked["desiredCount"])
            return web.json_response({"service": self._told()})
        if operation == "DescribeServices":
            return web.json_response({"services": [self._told()], "failures": []})
        return _failed("InvalidAction", f"This stand-in does not know {operation}.")

    def _told(self) -> dict[str, Any]:
        service = self._service
        return {
            "serviceName": NAMES[1],
            "desiredCount": service.desired,
            "runningCount": len(service.tasks),
            "pendingCount": max(service.desired - len(service.tasks), 0),
        }

    async def _protect(self, request: web.Request) -> web.Response:
        state, task = json.loads(await request.read()), request.match_info["task"]
        is_protected = bool(state["ProtectionEnabled"])
        try:
            self._service.protect(task, state.get("ExpiresInMinutes", 120) if is_protected else 0)
        except KeyError:
            return web.json_response({"failure": {"Reason": "TASK_NOT_VALID"}}, status=400)
        return web.json_response(
            {"protection": {"ProtectionEnabled": is_protected, "TaskArn": task}}
        )

    async def _show(self, _: web.Request) -> web.Response:
        service = self._service
        tasks = [
            {
                "id": task.id,
                "pid": task.process.pid,
                "release": task.release,
                "is_protected": task.is_protected,
                "is_stopping": task.stopped_at is not None,
            }
            for task in service.tasks.values()
        ]
        counts = ("desired", "running", "most_at_once", "started", "died", "task_seconds")
        return web.json_response(
            {"tasks": tasks, **{name: getattr(service, name) for name in counts}}
        )

    async def _change(self, request: web.Request) -> web.Response:
        for name, value in json.loads(await request.read()).items():
            if name not in {"release", "desired", "start_seconds"}:
                raise web.HTTPBadRequest
            setattr(self._service, name, value)
        return web.json_response({})

    async def _kill(self, request: web.Request) -> web.Response:
        try:
            self._service.kill(request.match_info["task"])
        except KeyError:
            raise web.HTTPNotFound from None
        return web.json_response({})


def _failed(kind: str, words: str) -> web.Response:
    return web.json_response({"__type": kind, "message": words}, status=400)
