"""What can be said of Dockerfile and compose.yaml without building anything."""

import re
from typing import Any

import pytest
import yaml

import serve
from settings import PROJECT_DIR, Settings
from tests.containers.images import TARGETS

COMPOSE = yaml.safe_load((PROJECT_DIR / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name for name, says in SERVICES.items() if "build" in says}
FROM_OTHERS = set(SERVICES) - OURS
# What the standard for a container that runs cells without a privilege allows.
WITHOUT_PRIVILEGE = {
    *("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "MKNOD"),
    *("SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
}
KEYS = re.compile(r"^(ANTHROPIC|OPENAI|GEMINI)_API_KEY$")


def test_every_process_of_the_product_is_a_service() -> None:
    started = {says["command"][0] for name, says in SERVICES.items() if name in OURS}

    assert set(serve.PROCESSES) <= started
    assert {says["build"]["target"] for says in SERVICES.values() if "build" in says} == {*TARGETS}


@pytest.mark.parametrize("name", sorted(OURS))
def test_nothing_of_ours_has_a_privilege(name: str) -> None:
    says = SERVICES[name]

    assert says["read_only"] is True
    assert says["cap_drop"] == ["ALL"]
    assert says["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "devices", "pid", "ipc", "user"} & says.keys()
    added = set(says.get("cap_add", ()))
    assert added == (WITHOUT_PRIVILEGE if name == "worker" else set())


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_only_this_machine_reaches_it(name: str) -> None:
    for port in SERVICES[name].get("ports", ()):
        assert port.startswith("127.0.0.1:")
    assert SERVICES[name].get("network_mode") in {None, "service:web"}


def test_every_setting_that_is_given_exists() -> None:
    known = {field.upper() for field in Settings.model_fields}

    for name in OURS:
        variables = SERVICES[name].get("environment", {})
        others = {"MAILBOX_TOKEN"} if name == "mailbox" else set[str]()
        assert variables.keys() - others <= known, name


def test_it_works_without_a_key_and_with_one() -> None:
    for name in ("web", "worker", "clock", "messaging"):
        variables = SERVICES[name]["environment"]
        keys = {key: value for key, value in variables.items() if KEYS.match(key)}
        # Handed on if this machine has them.
        assert keys == dict.fromkeys(keys)
        assert len(keys) == 3
        assert variables["DEMO_MODEL_URL"]


def test_a_worker_has_a_jail_or_no_cells_and_time_to_end() -> None:
    worker = SERVICES["worker"]

    assert worker["environment"]["SANDBOX"] == "jail"
    assert worker["volumes"] == ["cells:/jail/cells"]
    assert worker["stop_grace_period"] == "2m"
    assert Settings.model_fields["worker_stop_seconds"].default < 120
    dockerfile = (PROJECT_DIR / "Dockerfile").read_text()
    assert "JAIL_DIR=/jail CELLS_DIR=/jail/cells" in dockerfile
    assert "VOLUME /jail/cells" in dockerfile


def test_what_has_a_read_only_root_may_write_to_tmp_wherever_it_runs() -> None:
    """Here it is in memory; Fargate has an empty volume, with the rights that the image's has."""
    dockerfile = (PROJECT_DIR / "Dockerfile").read_text()
    stages = dict(re.findall(r"^FROM \S+ AS (\w+)\n(.*?)(?=^FROM |\Z)", dockerfile, re.M | re.S))
    bases = re.findall(r"^FROM (\w+) AS (?:worker|standins)$", dockerfile, re.M)

    assert "\nVOLUME /tmp\n" in stages["web"]
    assert bases == ["web", "web"]
    assert all(SERVICES[name]["tmpfs"] == ["/tmp"] for name in OURS)


def test_images_are_made_of_what_is_named_and_nothing_else() -> None:
    lines = (PROJECT_DIR / ".dockerignore").read_text().splitlines()
    kept = {line[1:] for line in lines if line.startswith("!")}

    assert lines[1] == "*"
    copied = re.findall(r"^COPY (?!--from)(.+)$", (PROJECT_DIR / "Dockerfile").read_text(), re.M)
    sources = {word.split("/")[0] for line in copied for word in line.split()[:-1]}
    assert sources == kept
    assert all((PROJECT_DIR / name).exists() for name in kept)
