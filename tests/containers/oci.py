"""What a service of compose.yaml is to runc: its bundle, as Docker would make it."""

import json
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from settings import PROJECT_DIR
from tests.containers.images import Image
from tests.containers.tools import PROFILE

# What Docker gives to a container that asks for nothing.
DEFAULT_CAPABILITIES = (
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"),
    *("NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
)
# The profile that we have is Podman's. Docker's leaves these to who has a capability for them,
# which none of our containers has, or to nobody.
_NOT_DOCKERS = """
    add_key bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick io_uring_enter
    io_uring_register io_uring_setup keyctl lookup_dcookie mount mount_setattr move_mount
    open_by_handle_at open_tree perf_event_open pivot_root quotactl quotactl_fd request_key
    setdomainname sethostname setns syslog umount umount2 unshare userfaultfd
"""
NOT_DOCKERS = frozenset(_NOT_DOCKERS.split())
NEW_NAMESPACES = 0x7E020000
AF_VSOCK = 40
ARCHITECTURES = {
    "x86_64": ("amd64", ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]),
    "aarch64": ("arm64", ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]),
}
_MASKED = """
    /proc/acpi /proc/asound /proc/kcore /proc/keys /proc/latency_stats /proc/sched_debug /proc/scsi
    /proc/timer_list /proc/timer_stats /sys/firmware
"""
MASKED = _MASKED.split()
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
GIBIBYTE = 1024**3


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
        "mounts": _mounts(service),
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


def _mounts(service: Service) -> list[dict[str, Any]]:
    quiet = ["nosuid", "noexec", "nodev"]
    own = [
        _mount("/proc", "proc", quiet),
        _mount("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        _mount("/dev/shm", "tmpfs", [*quiet, "mode=1777", "size=65536k"]),
        _mount("/dev/mqueue", "mqueue", quiet),
        # Without the control groups below it, which no container may write to.
        {**_bound(Path("/sys"), "/sys", ["ro", *quiet]), "options": ["bind", "ro", *quiet]},
    ]
    own += [_mount(one, "tmpfs", [*quiet, "mode=1777"]) for one in service.says.get("tmpfs", ())]
    given = [_bound(source, target, ["rw"]) for target, source in service.volumes.items()]
    return [*own, *given]


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
    machine, architectures = ARCHITECTURES[platform.machine()]
    allowed = {"arch_prctl", "chroot", "ptrace"}
    allowed |= {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"}
    for rule in json.loads(Path(PROFILE).read_text())["syscalls"]:
        includes: dict[str, Any] = rule.get("includes") or {}
        is_ours = machine in includes.get("arches", [machine]) and not includes.get("caps")
        if rule["action"] == "SCMP_ACT_ALLOW" and is_ours and not rule.get("args"):
            allowed |= set(rule["names"])
    clone = {"index": 0, "value": NEW_NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
    # All kinds of sockets but those to machines next door.
    family = {"index": 0, "value": AF_VSOCK, "op": "SCMP_CMP_NE"}
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,
        "architectures": architectures,
        "syscalls": [
            {"names": sorted(allowed - NOT_DOCKERS - {"socket"}), "action": "SCMP_ACT_ALLOW"},
            {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [clone]},
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
            {"names": ["personality"], "action": "SCMP_ACT_ALLOW"},
            {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [family]},
        ],
    }
