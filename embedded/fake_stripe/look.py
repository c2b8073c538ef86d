"""How the pages of the stand-in look: one frame, made for a phone first, in light and dark."""

from html import escape

STYLE = """
:root { color-scheme: light dark; --page: #f4f6fb; --card: #fff; --line: #d9deea; --ink: #1d2433;
  --quiet: #586177; --main: #4b45c6; --on-main: #fff; --warn: #fff4d6; --warn-ink: #5d4300; }
@media (prefers-color-scheme: dark) { :root { --page: #12151d; --card: #1b202b; --line: #333b4b;
  --ink: #e8ebf3; --quiet: #a5aec2; --main: #a5a0ff; --on-main: #14122e; --warn: #3a2f10;
  --warn-ink: #ffe3a1; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.5;
  font: 1rem/1.5 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 27rem; margin: 0 auto; padding: 1.25rem 1rem 3rem; display: grid; gap: 1rem; }
.stands-in { padding: .625rem .875rem; border-radius: .625rem; background: var(--warn);
  color: var(--warn-ink); font-size: .9375rem; }
.card { padding: 1.25rem; border: 1px solid var(--line); border-radius: 1rem;
  background: var(--card); display: grid; gap: 1rem; }
h1 { margin: 0; font-size: 1.125rem; font-weight: 600; }
.amount { margin: 0; font-size: 2.5rem; font-weight: 650; letter-spacing: -.02em;
  line-height: 1.1; }
.quiet { margin: 0; color: var(--quiet); font-size: .9375rem; }
fieldset { margin: 0; padding: 0; border: 0; display: grid; gap: .5rem; }
legend { padding: 0 0 .5rem; font-weight: 600; }
label { display: flex; gap: .75rem; align-items: center; min-height: 2.75rem;
  padding: .5rem .875rem; border: 1px solid var(--line); border-radius: .625rem; cursor: pointer; }
label:has(:checked) { border-color: var(--main); box-shadow: inset 0 0 0 1px var(--main); }
label span { display: grid; line-height: 1.3; }
label small { color: var(--quiet); font-size: .875rem; }
input { accent-color: var(--main); width: 1.125rem; height: 1.125rem; flex: none; }
button, .button { display: block; width: 100%; min-height: 3rem; padding: .625rem 1rem; border: 0;
  border-radius: .625rem; background: var(--main); color: var(--on-main); font: inherit;
  font-weight: 600; text-align: center; text-decoration: none; cursor: pointer; }
.plain { background: none; color: var(--ink); border: 1px solid var(--line); }
:focus-visible { outline: 2px solid var(--main); outline-offset: 2px; }
.refused { margin: 0; padding: .75rem .875rem; border-radius: .625rem; border: 1px solid #c9453c;
  background: color-mix(in srgb, #c9453c 12%, var(--card)); }
"""
STANDS_IN = "This is a stand-in for Stripe. No real money moves, and no card is asked for."


def page(title: str, inside: str) -> str:
    """Put a page together; `inside` is HTML whose values are escaped already."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body><main>
<p class="stands-in" role="note">{STANDS_IN}</p>
{inside}
</main></body>
</html>"""


def dollars(cents: int) -> str:
    return f"${cents // 100:,}.{cents % 100:02d}"
