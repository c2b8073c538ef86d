"""What the kernel does with a filter of system calls, for machines that are not at hand."""

import errno
import struct

from untrusted.calls import Machine, numbers
from untrusted.seccomp import AUDIT_ARCH

ALLOWED, KILLED = "allowed", "killed"
_ACTIONS = {0x7FFF0000: ALLOWED, 0x80000000: KILLED}


def decide(
    program: bytes, machine: Machine, call: str | int, *words: int, arch: int | None = None
) -> str:
    """Tell what becomes of a call with these arguments: ALLOWED, KILLED or the error's name."""
    number = numbers(machine)[call] if isinstance(call, str) else call
    whole = [*words, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("<IIQ6Q", number, arch or AUDIT_ARCH[machine], 0, *whole)
    returned = _run(program, data)
    if returned & 0xFFFF0000 == 0x00050000:
        return errno.errorcode[returned & 0xFFFF]
    return _ACTIONS[returned]


def _run(program: bytes, data: bytes) -> int:
    steps = list(struct.iter_unpack("<HBBI", program))
    held, at = 0, 0
    while True:
        code, if_true, if_false, value = steps[at]
        at += 1
        if code == 0x20:
            held = struct.unpack_from("<I", data, value)[0]
        elif code == 0x54:
            held &= value
        elif code == 0x06:
            return value
        else:
            holds = {0x15: held == value, 0x35: held >= value, 0x45: held & value != 0}[code]
            at += if_true if holds else if_false
