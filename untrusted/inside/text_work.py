"""The work of the lane for texts."""

import gc
import json
from typing import Any

from untrusted.inside import highlighting
from untrusted.inside.markdown import render, render_growing
from untrusted.inside.styling import style

# Each language once: what is only made when first needed is made before the first answer comes.
CODE = "\n\n".join(f"```{name}\nx = (1)\n```" for name in highlighting.LANGUAGES)
REHEARSAL = (
    f"# Head\n\n- *some* [words](https://example.org)\n\n| a |\n|-|\n| b |\n\n{CODE}\n\nEnd."
)


def _render(job: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    return {}, render(body.decode(), has_colours=job["has_colours"]).encode()


def _advance(_job: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    closed, html, tail = render_growing(body.decode())
    made = html.encode()
    return {"at": closed, "bytes": len(made)}, made + tail.encode()


def _style(job: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    made = style(body.decode(), is_growing=job["is_growing"])
    spans = [(span.look, span.start, span.end, span.argument) for span in made.spans]
    return {}, json.dumps({"text": made.text, "spans": spans}, ensure_ascii=False).encode()


WORK = {"render": _render, "advance": _advance, "style": _style}
render(REHEARSAL)
render_growing(REHEARSAL)
style(REHEARSAL)
# Garbage waits until the job is done: answers are small, and somebody waits for them.
gc.disable()
