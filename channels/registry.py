"""The channels of this process: its entry point says which there are."""

from collections.abc import Iterable

from channels.base import Channel

_channels: dict[str, Channel] = {}


def install(channels: Iterable[Channel]) -> None:
    """Make these the channels of this process, and no others."""
    _channels.clear()
    _channels.update({channel.name: channel for channel in channels})


def find(name: str) -> Channel | None:
    """Return a channel by its name, None for one that this process does not have."""
    return _channels.get(name)


def label_of(name: str) -> str:
    """Say how people call a channel, also one that this process does not have."""
    channel = find(name)
    return channel.label if channel else name.title()


def installed() -> list[Channel]:
    """Return all channels, in the order in which they were installed."""
    return list(_channels.values())
