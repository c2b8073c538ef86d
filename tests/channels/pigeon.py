"""A channel in memory: the seam's own test, and all that a channel needs.

Updates come in as JSON that is `Update` already; what goes out is a message in a chat here. A test
says what pigeons can do, and lets a call of theirs fail.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from channels.base import Capabilities, ChannelFailed, Malformed, Trouble
from channels.inbound import Update
from channels.outbound import Button, FetchedFile, OutgoingFile, Part

SECRET = "coo"  # of a bird
UPDATES = TypeAdapter(list[Update])
CAPABILITIES = Capabilities(
    text_limit=100,
    can_edit=True,
    edit_interval_seconds=0.0,
    has_buttons=True,
    has_typing=True,
    inbound_file_limit_bytes=1_000,
    outbound_file_limit_bytes=1_000,
    numbers_updates=True,
)


@dataclass
class Message:
    """A message of ours as it stands in the chat; `versions` are all the texts that it has had."""

    id: str
    versions: list[Part]
    rows: list[list[Button]]

    @property
    def text(self) -> str:
        return self.versions[-1].text


@dataclass
class Pigeon:
    """Carries messages; implements `channels.base.Channel`."""

    name: str = "pigeon"
    label: str = "Pigeon"
    capabilities: Capabilities = CAPABILITIES
    link_origin: str = "https://pigeon.example"
    chats: dict[str, list[Message]] = field(default_factory=dict[str, list[Message]])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    calls: list[str] = field(default_factory=list[str])
    # What goes wrong, call by call: it gets the name of the call, and may raise.
    mischief: Callable[[str], None] = lambda _: None

    def is_authentic(self, headers: Mapping[str, str]) -> bool:
        return headers.get("X-Pigeon") == SECRET

    def parse(self, body: bytes) -> list[Update]:
        try:
            return UPDATES.validate_json(body)
        except ValidationError as odd:
            raise Malformed from odd

    def link_url(self, code: str) -> str:
        return f"https://pigeon.example/start/{code}"

    def render(self, markdown: str) -> list[Part]:
        return list(_cut(markdown, self.capabilities.text_limit)) or [Part("…")]

    def preview(self, markdown: str) -> Part:
        return Part(markdown[-self.capabilities.text_limit :])

    def send(self, address: str, part: Part, *, rows: Sequence[Sequence[Button]] = ()) -> str:
        self._call("send")
        chat = self.chats.setdefault(address, [])
        chat.append(Message(str(len(chat) + 1), [part], [list(row) for row in rows]))
        return chat[-1].id

    def edit(
        self, address: str, message_id: str, part: Part, *, rows: Sequence[Sequence[Button]] = ()
    ) -> None:
        self._call("edit")
        for message in self.chats.get(address, []):
            if message.id == message_id:
                message.versions.append(part)
                message.rows = [list(row) for row in rows]
                return
        raise ChannelFailed(Trouble.MESSAGE_GONE)

    def delete(self, address: str, message_id: str) -> None:
        self._call("delete")
        kept = [one for one in self.chats.get(address, []) if one.id != message_id]
        self.chats[address] = kept

    def send_file(self, address: str, file: OutgoingFile, caption: str = "") -> str:
        self._call("file")
        return self.send(address, Part(f"{file.name} {caption}".strip()))

    def typing(self, address: str) -> None:
        self._call(f"typing {address}")

    def acknowledge(self, press_id: str, words: str = "") -> None:
        self._call(f"acknowledge {press_id} {words}".strip())

    def leave(self, address: str) -> None:
        self._call(f"leave {address}")

    def fetch(self, file_id: str) -> FetchedFile:
        self._call("fetch")
        return FetchedFile(self.files[file_id], "text/plain")

    def texts(self, address: str) -> list[str]:
        """What a chat shows now."""
        return [message.text for message in self.chats.get(address, [])]

    def _call(self, what: str) -> None:
        self.calls.append(what)
        self.mischief(what)


def _cut(markdown: str, limit: int) -> Iterator[Part]:
    # Every part has a look of its own, which a pigeon may refuse.
    for at in range(0, len(markdown), limit):
        yield Part(markdown[at : at + limit], ({"style": "feather"},))
