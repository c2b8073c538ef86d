"""What the templates say, without an account: `pytest` in this folder, with its requirements."""

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from processes import KEYS
from profile_of import PROFILES, Profile
from stack import Images, Shellmate

PROJECT_DIR = Path(__file__).resolve().parent.parent
# What libpq reads by itself.
LIBPQ = {"PGHOST", "PGUSER", "PGPASSWORD", "PGSSLMODE"}
# What RDS says that they take; some are its own.
CONNECTIONS = {"t4g.micro": 80, "m7g.large": 850}
CONNECTIONS_EACH = 10
SECRET = re.compile(r"KEY|SECRET|PASSWORD|TOKEN|REDIS_URL|DSN")


@pytest.fixture(scope="module", params=sorted(PROFILES))
def profile(request: pytest.FixtureRequest) -> Profile:
    return PROFILES[request.param]


@pytest.fixture(scope="module")
def template(profile: Profile) -> Template:
    app = cdk.App()
    images = Images(app, "Images")
    return Template.from_stack(Shellmate(app, "Shellmate", profile, images))


def _containers(template: Template) -> dict[str, dict[str, Any]]:
    """Return the containers of all tasks, by the command that they start with."""
    found = template.find_resources("AWS::ECS::TaskDefinition").values()
    containers = [one for task in found for one in task["Properties"]["ContainerDefinitions"]]
    return {container["Command"][0]: container for container in containers}


def test_every_process_is_there(template: Template) -> None:
    assert set(_containers(template)) == {"web", "worker", "clock", "messaging", "migrate"}
    template.resource_count_is("AWS::ECS::Service", 4)


def test_the_database_has_its_newest_shape_before_a_process_begins(template: Template) -> None:
    for task in template.find_resources("AWS::ECS::TaskDefinition").values():
        containers = {one["Name"]: one for one in task["Properties"]["ContainerDefinitions"]}
        assert containers["migrate"]["Essential"] is False
        assert containers["app"]["DependsOn"] == [
            {"Condition": "SUCCESS", "ContainerName": "migrate"}
        ]


def test_only_the_worker_is_root_and_nothing_is_privileged(template: Template) -> None:
    for name, container in _containers(template).items():
        dropped = container["LinuxParameters"]["Capabilities"]["Drop"]
        assert container["ReadonlyRootFilesystem"] is True
        assert not container.get("Privileged")
        assert container["LinuxParameters"]["InitProcessEnabled"] is True
        assert (container["User"], dropped == ["ALL"]) == (
            ("0", False) if name == "worker" else ("10001", True)
        )


def test_a_worker_has_a_jail_or_no_cells_and_time_to_end(template: Template) -> None:
    worker = _containers(template)["worker"]
    given = {one["Name"]: one["Value"] for one in worker["Environment"]}

    assert given["SANDBOX"] == "jail"
    assert worker["StopTimeout"] == 120
    assert {"ContainerPath": "/jail/cells", "ReadOnly": False, "SourceVolume": "cells"} in worker[
        "MountPoints"
    ]


def test_a_workers_memory_is_enough_for_its_cells() -> None:
    for profile in PROFILES.values():
        assert profile.worker_memory_mib >= 512 + 1200 * profile.cells_per_worker


def test_a_folder_that_a_task_brings_belongs_to_whom_the_image_says(template: Template) -> None:
    """Fargate gives it to root alone, unless the image has a volume there."""
    declared = re.findall(r"^VOLUME (\S+)$", (PROJECT_DIR / "Dockerfile").read_text(), re.M)
    for container in _containers(template).values():
        assert {one["ContainerPath"] for one in container["MountPoints"]} <= {*declared}


def test_the_database_has_a_connection_for_all_that_there_may_be() -> None:
    for profile in PROFILES.values():
        tasks = profile.most_workers + profile.web_tasks + profile.clock_tasks + 1
        assert tasks * CONNECTIONS_EACH <= profile.many_connections
        assert profile.many_connections < CONNECTIONS[profile.database]


def test_whoever_sets_it_up_is_told_what_to_type(template: Template) -> None:
    told = template.find_outputs("*")
    assert {"Address", "ClusterName"} <= told.keys()
    assert {"WebsiteName", "WorkersName", "ClockName", "MessagingName"} <= told.keys()
    assert {"MailRecord1", "MailRecord2", "MailRecord3"} <= told.keys()


def test_no_secret_is_in_an_environment(template: Template) -> None:
    for container in _containers(template).values():
        open_ones = {one["Name"] for one in container["Environment"]}
        hidden = {one["Name"] for one in container["Secrets"]}
        assert not {name for name in open_ones if SECRET.search(name)}
        assert set(KEYS) | {"PGUSER", "PGPASSWORD", "REDIS_URL"} == hidden


def test_every_setting_that_is_given_exists(template: Template) -> None:
    known = {
        name
        for group in (PROJECT_DIR / "settings").glob("*.py")
        for name in re.findall(r"^    (\w+): ", group.read_text(), re.M)
    }
    for container in _containers(template).values():
        given = {one["Name"] for one in (*container["Environment"], *container["Secrets"])}
        assert {name.lower() for name in given - LIBPQ} <= known


def test_a_release_changes_nothing_about_how_many_workers_there_are(template: Template) -> None:
    services = template.find_resources("AWS::ECS::Service")
    without = [key for key, one in services.items() if "DesiredCount" not in one["Properties"]]

    assert len(without) == 1
    assert "Workers" in without[0]


def test_the_clock_keeps_as_many_workers_as_are_needed_and_never_more_than_50(
    template: Template, profile: Profile
) -> None:
    clock = _containers(template)["clock"]
    given = {one["Name"]: one["Value"] for one in clock["Environment"]}
    assert (given["MOST_WORKERS"], int(given["FEWEST_WORKERS"]) >= 1) == (
        str(profile.most_workers),
        True,
    )
    assert profile.most_workers <= 50
    assert {"ECS_CLUSTER", "ECS_WORKER_SERVICE", "ECS_REGION"} <= given.keys()


def test_stores_are_reached_by_our_processes_alone(template: Template) -> None:
    template.has_resource_properties(
        "AWS::RDS::DBInstance", {"PubliclyAccessible": False, "StorageEncrypted": True}
    )
    template.has_resource_properties(
        "AWS::ElastiCache::ReplicationGroup", {"TransitEncryptionEnabled": True}
    )
    rules = template.find_resources("AWS::EC2::SecurityGroupIngress").values()
    assert all("SourceSecurityGroupId" in rule["Properties"] for rule in rules)
    # A script of ours names two keys, which cluster mode refuses.
    groups = template.find_resources("AWS::ElastiCache::ReplicationGroup").values()
    assert all("NumNodeGroups" not in group["Properties"] for group in groups)


def test_no_password_stands_in_the_template(template: Template) -> None:
    whole = json.dumps(template.to_json())

    assert "{{resolve:secretsmanager:" in whole
    assert not re.search(r"rediss://:(?!\")[^{\"]", whole)


def test_the_load_balancer_asks_whether_the_process_lives(template: Template) -> None:
    template.has_resource_properties(
        "AWS::ElasticLoadBalancingV2::TargetGroup", {"HealthCheckPath": "/healthz"}
    )
    template.has_resource_properties(
        "AWS::ElasticLoadBalancingV2::Listener", {"Port": 443, "Protocol": "HTTPS"}
    )


def test_every_alarm_of_ours_watches_a_number_that_the_product_publishes(
    template: Template,
) -> None:
    gauges = (PROJECT_DIR / "models/ops/gauges.py").read_text()
    fields = re.findall(r"^    (\w+): (?:int|float)$", gauges, re.M)
    published = {"".join(part.capitalize() for part in one.split("_")) for one in fields}
    alarms = template.find_resources("AWS::CloudWatch::Alarm").values()
    ours = {
        one["Properties"]["MetricName"]
        for one in alarms
        if one["Properties"].get("Namespace") == "Shellmate"
    }
    assert len(ours) == 11
    assert ours - {"ErrorLines"} <= published


def test_each_node_of_valkey_is_watched_by_the_name_that_it_has(
    template: Template, profile: Profile
) -> None:
    """By its group alone there is no such number, and the alarm would never ring."""
    alarms = template.find_resources("AWS::CloudWatch::Alarm").values()
    watched = [
        json.dumps(one["Properties"]["Dimensions"])
        for one in alarms
        if one["Properties"].get("Namespace") == "AWS/ElastiCache"
    ]
    nodes = 2 if profile.is_lasting else 1
    assert len(watched) == 2 * nodes
    assert all("CacheClusterId" in one for one in watched)
    assert {f"-{number:03}" in json.dumps(watched) for number in range(1, nodes + 1)} == {True}


def test_a_website_that_does_not_answer_rings(template: Template) -> None:
    alarms = template.find_resources("AWS::CloudWatch::Alarm").values()
    watched = [one["Properties"]["MetricName"] for one in alarms]
    assert watched.count("HTTPCode_ELB_5XX_Count") == 1
    assert watched.count("UnHealthyHostCount") == 2


def test_somebody_hears_every_alarm_and_finds_what_to_do(template: Template) -> None:
    page = (PROJECT_DIR / "docs/operations/alarms.md").read_text()
    for alarm in template.find_resources("AWS::CloudWatch::Alarm").values():
        given = alarm["Properties"]
        if given["MetricName"] in {"CPUUtilization"} and "AlarmActions" not in given:
            # Of the website's own scaling.
            continue
        assert given["AlarmActions"]
        name = given.get("AlarmDescription", ", Errors").partition(", ")[2]
        assert f"`{name}`" in page, name


def test_costs_have_a_bound_that_rings(template: Template) -> None:
    template.resource_count_is("AWS::Budgets::Budget", 1)
    template.resource_count_is("AWS::SNS::Subscription", 1)


def test_a_release_of_the_website_goes_back_by_itself(template: Template) -> None:
    services = template.find_resources("AWS::ECS::Service").values()
    (website,) = [one["Properties"] for one in services if "LoadBalancers" in one["Properties"]]
    deployed = website["DeploymentConfiguration"]
    assert deployed["Strategy"] == "BLUE_GREEN"
    assert deployed["BakeTimeInMinutes"] >= 5
    assert (deployed["Alarms"]["Enable"], deployed["Alarms"]["Rollback"]) == (True, True)
    # The one of before, to go back to.
    assert website["LoadBalancers"][0]["AdvancedConfiguration"]["AlternateTargetGroupArn"]
