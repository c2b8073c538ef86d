"""Tells open pages what happens in their person's chats."""

import asyncio

from embedded.fake_telegram.errors import Body

# A page that reads no more is let go; it comes back and is told how things stand.
MOST_UNREAD = 1_000

Feed = asyncio.Queue[Body | None]


class Hub:
    """Feeds by person; a feed that ends says None."""

    def __init__(self) -> None:
        self._feeds: dict[int, set[Feed]] = {}

    def open(self, person_id: int) -> Feed:
        """Begin to tell a page what happens from now on."""
        feed: Feed = asyncio.Queue()
        self._feeds.setdefault(person_id, set()).add(feed)
        return feed

    def close(self, person_id: int, feed: Feed) -> None:
        self._feeds.get(person_id, set()).discard(feed)

    def is_watched(self, person_id: int) -> bool:
        """Tell whether any page is open, so that something has to be told."""
        return bool(self._feeds.get(person_id))

    def publish(self, person_id: int, event: Body) -> None:
        """Tell all pages of a person."""
        for feed in tuple(self._feeds.get(person_id, ())):
            if feed.qsize() >= MOST_UNREAD:
                self.close(person_id, feed)
                feed.put_nowait(None)
                continue
            feed.put_nowait(event)

    def end(self) -> None:
        """End all feeds, as when the stand-in stops."""
        for person_id, feeds in self._feeds.items():
            for feed in tuple(feeds):
                self.close(person_id, feed)
                feed.put_nowait(None)
