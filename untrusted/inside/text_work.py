"""The work of the lane for texts."""

import gc
from typing import Any

from untrusted.inside import highlighting
from untrusted.inside.markdown import render, split_stable

# Each language once: what is only made when first needed is made before the first answer comes.
CODE = "\n\n".join(f"```{name}\nx = (1)\n```" for name in highlighting.LANGUAGES)
REHEARSAL = (
    f"# Head\n\n- *some* [words](https://example.org)\n\n| a |\n|-|\n| b |\n\n{CODE}\n\nEnd."
)


def _render(job: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    return {}, render(body.decode(), has_colours=job["has_colours"]).encode()


def _advance(job: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    finished, _ = split_stable(body.decode())
    made = render(finished, has_colours=job["has_colours"]) if finished.strip() else ""
    return {"at": len(finished) if made else 0}, made.encode()


WORK = {"render": _render, "advance": _advance}
render(split_stable(REHEARSAL)[0])
# Garbage waits until the job is done: answers are small, and somebody waits for them.
gc.disable()
