"""Metrics as lines of the log."""

from structlog.testing import capture_logs

from gateways import metrics


def test_a_line_says_what_cloudwatch_reads() -> None:
    with capture_logs() as lines:
        metrics.publish({"oldest_wait_seconds": 3.5, "demand": 7, "turn_failures_percent": 0})
    (line,) = lines
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (line["OldestWaitSeconds"], line["Demand"]) == (3.5, 7)
    assert directive["Namespace"] == "Shellmate"
    # One set of no dimensions: a number of the whole product.
    assert directive["Dimensions"] == [[]]
    assert {one["Name"]: one["Unit"] for one in directive["Metrics"]} == {
        "OldestWaitSeconds": "Seconds",
        "Demand": "Count",
        "TurnFailuresPercent": "Percent",
    }
