"""How the pages of the stand-in look: one frame, made for a phone first, in light and dark."""

from html import escape

STYLE = """
:root { color-scheme: light dark; --page: #f2f5fb; --card: #fff; --line: #d5dbe8; --ink: #1d2433;
  --quiet: #586177; --main: #1557b8; --on-main: #fff; --warn: #fff4d6; --warn-ink: #5d4300; }
@media (prefers-color-scheme: dark) { :root { --page: #12151d; --card: #1b202b; --line: #333b4b;
  --ink: #e8ebf3; --quiet: #a5aec2; --main: #9cc2ff; --on-main: #0c1d36; --warn: #3a2f10;
  --warn-ink: #ffe3a1; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 1rem/1.5 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 27rem; margin: 0 auto; padding: 1.25rem 1rem 3rem; display: grid; gap: 1rem; }
.stands-in { padding: .625rem .875rem; border-radius: .625rem; background: var(--warn);
  color: var(--warn-ink); font-size: .9375rem; margin: 0; }
.card { padding: 1.25rem; border: 1px solid var(--line); border-radius: 1rem;
  background: var(--card); display: grid; gap: 1rem; }
form { display: grid; gap: .625rem; margin: 0; }
h1 { margin: 0; font-size: 1.375rem; font-weight: 600; line-height: 1.25; }
.quiet { margin: 0; color: var(--quiet); font-size: .9375rem; }
.account { display: flex; gap: .75rem; align-items: center; width: 100%; min-height: 3.5rem;
  padding: .5rem .875rem; border: 1px solid var(--line); border-radius: .75rem;
  background: none; color: inherit; font: inherit; text-align: left; cursor: pointer; }
.account:hover { border-color: var(--main); }
.account b { display: grid; place-items: center; width: 2.25rem; height: 2.25rem; flex: none;
  border-radius: 50%; background: var(--main); color: var(--on-main); font-weight: 600; }
.account span { display: grid; line-height: 1.3; min-width: 0; overflow-wrap: anywhere; }
.account small { color: var(--quiet); font-size: .875rem; }
label { font-weight: 600; }
input { width: 100%; min-height: 3rem; padding: .5rem .875rem; border: 1px solid var(--quiet);
  border-radius: .625rem; background: var(--card); color: inherit; font: inherit; }
.button { display: block; width: 100%; min-height: 3rem; padding: .625rem 1rem; border: 0;
  border-radius: .625rem; background: var(--main); color: var(--on-main); font: inherit;
  font-weight: 600; text-align: center; cursor: pointer; }
.plain { background: none; color: var(--ink); border: 1px solid var(--line); }
hr { width: 100%; margin: 0; border: 0; border-top: 1px solid var(--line); }
:focus-visible { outline: 2px solid var(--main); outline-offset: 2px; }
.refused { margin: 0; padding: .75rem .875rem; border-radius: .625rem; border: 1px solid #c9453c;
  background: color-mix(in srgb, #c9453c 12%, var(--card)); }
"""
STANDS_IN = "This is a stand-in for Google. These accounts are made up, and no password is asked."


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
