"""Tasks may do what the product was seen to do (calls.json), and nothing else."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from profile_of import PROFILES
from stack import Images, Shellmate

RECORDED: dict[str, list[str]] = json.loads(Path(__file__).with_name("calls.json").read_text())
# What IAM calls it, where that is another name than the operation's.
ACTIONS = {
    ("s3", "HeadBucket"): ["s3:ListBucket"],
    ("s3", "ListObjectsV2"): ["s3:ListBucket"],
    # As a whole message with its headers, which is the second.
    ("sesv2", "SendEmail"): ["ses:SendEmail", "ses:SendRawEmail"],
}
# Which process makes calls of which service.
CALLERS = {
    "Web": ["s3"],
    "Messaging": ["s3"],
    "Clock": ["s3", "ecs"],
    "Worker": ["s3", "sesv2", "ecs-agent"],
}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    app = cdk.App()
    stack = Shellmate(app, "Shellmate", PROFILES["production"], Images(app, "Images"))
    return Template.from_stack(stack).to_json()


def allowed(template: dict[str, Any]) -> dict[str, set[str]]:
    """What each task's role may do, by process."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::IAM::Policy" and "TaskRoleDefaultPolicy" in name:
            process = name.removeprefix("Processes").partition("TaskTaskRole")[0]
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                found[process] |= {actions} if isinstance(actions, str) else set(actions)
    return found


def needed(recorded: dict[str, list[str]]) -> dict[str, set[str]]:
    """What each process has to be allowed, by what it was seen to do."""
    return {
        process: {
            action
            for service in services
            for operation in recorded[service]
            for action in ACTIONS.get(
                (service, operation), [f"{service.removesuffix('-agent')}:{operation}"]
            )
        }
        for process, services in CALLERS.items()
    }


def test_each_process_may_do_what_it_does_and_no_more(template: dict[str, Any]) -> None:
    assert allowed(template) == needed(RECORDED)


@pytest.mark.parametrize("change", ["taken away", "added"])
def test_one_permission_more_or_less_is_noticed(template: dict[str, Any], change: str) -> None:
    one = allowed(template)
    if change == "added":
        one["Web"].add("s3:DeleteBucket")
    else:
        one["Worker"].discard("ecs:UpdateTaskProtection")
    assert one != needed(RECORDED)


def test_nothing_is_allowed_everywhere_but_mail_in_our_name(template: dict[str, Any]) -> None:
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::IAM::Policy" or "TaskRoleDefaultPolicy" not in name:
            continue
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            if statement["Resource"] == "*":
                assert statement["Condition"]["StringEquals"]["ses:FromAddress"]
