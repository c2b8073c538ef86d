"""What a service of compose.yaml is to runc: its bundle, as Docker would make it."""

import platform
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from settings import PROJECT_DIR
from tests.containers.images import Image

# What Docker gives to a container that asks for nothing.
DEFAULT_CAPABILITIES = (
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"),
    *("NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
)
# What Docker allows to who has no capability, by name, on both architectures; calls that an
# architecture does not have are passed over. Docker's profile:
# https://docs.docker.com/engine/security/seccomp/
ALLOWED = Path(__file__).with_name("syscalls.txt")
NEW_NAMESPACES = 0x7E020000
AF_VSOCK = 40
ARCHITECTURES = {
    "x86_64": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    "aarch64": ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
}
_MASKED = """
    /proc/acpi /proc/asound /proc/kcore /proc/keys /proc/latency_stats /proc/sched_debug /proc/scsi
    /proc/timer_list /proc/timer_stats /sys/firmware
"""
MASKED = _MASKED.split()
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
TAKEN_FROM_IMAGE = frozenset({"ENGINE_DIR", "NODE_PATH", "CELLS_DIR"})


@dataclass(frozen=True)
class Service:
    """A service as compose.yaml has it, and what a test changes of it."""

    name: str
    environment: dict[str, str]
    # Folders of this machine, by where they are in the container.
    volumes: dict[str, Path] = field(default_factory=dict[str, Path])
    command: list[str] | None = None
    # None leaves what compose.yaml says.
    capabilities: tuple[str, ...] | None = None

    @property
    def says(self) -> dict[str, Any]:
        """What compose.yaml says of it."""
        return yaml.safe_load((PROJECT_DIR / "compose.yaml").read_text())["services"][self.name]


def of_a_stack(
    name: str, variables: Mapping[str, str], folder: Path, command: list[str] | None = None
) -> Service:
    """Return a service on what the settings of a stack lead to; its volumes are in `folder`.

    What a path says is left to the image.
    """
    says = Service(name, {}).says
    given = {key: value for key, value in variables.items() if key not in TAKEN_FROM_IMAGE}
    own = {"SANDBOX": says["environment"].get("SANDBOX", "jail")}
    volumes: dict[str, Path] = {}
    for volume in says.get("volumes", ()):
        target = volume.partition(":")[2]
        volumes[target] = Path(tempfile.mkdtemp(dir=folder))
        # As some engines leave it.
        volumes[target].chmod(0o755)
    return Service(name, {**own, **given}, volumes, command)


def config(service: Service, image: Image) -> dict[str, Any]:
    """Return the config.json of a bundle. Its network is this machine's, where the stores are."""
    says = service.says
    held = [f"CAP_{name}" for name in _capabilities(service)]
    variables = {**image.environment, **service.environment}
    return {
        "ociVersion": "1.0.2",
        "hostname": service.name,
        "root": {"path": str(image.root), "readonly": bool(says.get("read_only"))},
        "process": {
            "terminal": False,
            "user": {"uid": image.user, "gid": image.user},
            "args": [*image.entrypoint, *(service.command or says["command"])],
            "env": [f"{name}={value}" for name, value in variables.items()],
            "cwd": image.folder,
            "capabilities": dict.fromkeys(
                ("bounding", "effective", "permitted") if image.user == 0 else ("bounding",), held
            ),
            "noNewPrivileges": "no-new-privileges:true" in says.get("security_opt", ()),
            "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 4096, "hard": 4096}],
        },
        "mounts": _mounts(service, image),
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")],
            "maskedPaths": MASKED,
            "readonlyPaths": READ_ONLY,
            "seccomp": _seccomp(),
        },
    }


def _capabilities(service: Service) -> list[str]:
    if service.capabilities is not None:
        return list(service.capabilities)
    says = service.says
    kept = () if "ALL" in says.get("cap_drop", ()) else DEFAULT_CAPABILITIES
    return [*kept, *says.get("cap_add", ())]


def _mounts(service: Service, image: Image) -> list[dict[str, Any]]:
    quiet = ["nosuid", "noexec", "nodev"]
    own = [
        _mount("/proc", "proc", quiet),
        _mount("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        _mount("/dev/shm", "tmpfs", [*quiet, "mode=1777", "size=65536k"]),
        _mount("/dev/mqueue", "mqueue", quiet),
        # Without the control groups below it, which no container may write to.
        {**_bound(Path("/sys"), "/sys", ["ro", *quiet]), "options": ["bind", "ro", *quiet]},
    ]
    parts = [_bound(source, target, ["ro"]) for target, source in image.parts.items()]
    own += [_mount(one, "tmpfs", [*quiet, "mode=1777"]) for one in service.says.get("tmpfs", ())]
    given = [_bound(source, target, ["rw"]) for target, source in service.volumes.items()]
    return [*own, *parts, *given]


def _mount(target: str, kind: str, options: list[str]) -> dict[str, Any]:
    return {"destination": target, "type": kind, "source": kind, "options": options}


def _bound(source: Path, target: str, options: list[str]) -> dict[str, Any]:
    return {
        "destination": target,
        "type": "bind",
        "source": str(source),
        "options": ["rbind", *options],
    }


def _seccomp() -> dict[str, Any]:
    clone = {"index": 0, "value": NEW_NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
    # All kinds of sockets but those to machines next door.
    family = {"index": 0, "value": AF_VSOCK, "op": "SCMP_CMP_NE"}
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,
        "architectures": ARCHITECTURES[platform.machine()],
        "syscalls": [
            {"names": ALLOWED.read_text().split(), "action": "SCMP_ACT_ALLOW"},
            {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [clone]},
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
            {"names": ["personality"], "action": "SCMP_ACT_ALLOW"},
            {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [family]},
        ],
    }
