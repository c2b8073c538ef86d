"""Numbers for CloudWatch, as lines of the log in its embedded format: no call, no key, no agent.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import time
from collections.abc import Mapping
from typing import Any

import structlog

log = structlog.get_logger("metrics")

NAMESPACE = "Shellmate"
UNITS = {"seconds": "Seconds", "percent": "Percent"}


def publish(numbers: Mapping[str, float]) -> None:
    """Write one line; the end of a name, as `…_seconds` or `…_percent`, is its unit."""
    named = {pascal(name): value for name, value in numbers.items()}
    told = [{"Name": pascal(name), "Unit": _unit(name)} for name in numbers]
    about: dict[str, Any] = {
        "Timestamp": int(time.time() * 1000),
        "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": told}],
    }
    log.info("metrics", _aws=about, **named)


def pascal(name: str) -> str:
    """Write a name as CloudWatch's are: `oldest_wait_seconds` is `OldestWaitSeconds`."""
    return "".join(part.capitalize() for part in name.split("_"))


def _unit(name: str) -> str:
    return UNITS.get(name.rpartition("_")[2], "Count")
