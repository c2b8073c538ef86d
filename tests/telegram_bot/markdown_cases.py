"""Answers that are hard to show in a messenger, by name.

Each is delivered whole and formatted. `LINES` names those whose tables are too wide for a phone, or
have links in them, and become lines.
"""

FAMILY, FLAG, THUMB, KEYCAP = "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "1️⃣"
# Letters without spaces, none of which is one unit of UTF-16.
CLEFS = "𝄞" * 5_000
LIMIT = 4096


def _code(lines: int, language: str = "python") -> str:
    body = "\n".join(
        f"    x_{number} = {number}  # {'é' * (number % 7)}" for number in range(lines)
    )
    return f"```{language}\n{body}\n```"


LINES = {
    "a table wider than a phone",
    "a table with links",
    "a wide table without rows",
    "a table of a hundred columns",
    "a wide table in a list",
}
CASES: dict[str, str] = {
    "plain words": "Hello, Ada. How are you?",
    "nested emphasis": "**bold *both ~~all three~~ both* bold** and *slanted **both** slanted*",
    "emphasis within words": "un*frigging*believable snake_case_name __init__ 2*3*4",
    "emphasis of three marks": "***both*** ***a** b* **a *b***",
    "unbalanced marks": "**bold without end and *slanted ~~gone `code [link](http://a.b",
    "marks that close nothing": "a* b** c_ d~~ `` e ` f ]( g",
    "escaped marks": r"\*not slanted\* \`no code\` \[no link\](x) \# 1\. \> \| \\",
    "spaces within marks": "** not bold ** and __ nor this __ and **bold **x",
    "code in bold": "**bold `code` bold** and *`code`* and ~~a `b` c~~",
    "code with ticks": "`` a ` b `` and ``` `` ``` and ` `` `",
    "code of spaces": "a ` ` b `  ` c",
    "bold next to bold": "**a****b** *a**b* **a**b**c**",
    "headings": "# One\n## Two `code`\n### Three **bold** *x*\n\nSetext\n===\n\nOther\n---\ntext",
    "a heading without words": "#\n\ntext\n\n## \n\nmore",
    "a nested list": "- a\n  - b\n    - c\n      - d\n        - e\n- f\n  1. g\n     - h\n  2. i",
    "a loose list": "- a\n\n  second of a\n\n- b\n\n  > quote of b\n\n- c",
    "numbers from seven": "7. seven\n8. eight\n\n   more of eight\n9) other list\n10) ten",
    "large numbers": "999999999. a\n1. b",
    "lists next to each other": "- a\n- b\n\n* c\n* d\n\n1. e\n\n1) f",
    "items without words": "- \n- a\n-\n\n1.\n2. b",
    "a list in the item's own line": "- - a\n  - b\n- 1. c\n  2. d\n- - - deep",
    "line breaks in items": "- one\n  and more\n  - two\n    and more  \n    hard\n- three\nlazy",
    "code in a list": (
        "1. First:\n\n   ```sh\n   ls -l\n   \tcd x\n   ```\n2. Then\n\n       "
        "indented\n- ```\n  x\n  ```"
    ),
    "quotes in lists": "- > a\n  > b\n- c\n\n  > > d\n  >\n  > - e",
    "lists in quotes": "> - a\n>   - b\n>\n> 1. c\n>\n>    ```\n>    d\n>    ```\n> e",
    "quotes in quotes": "> a\n> > b\n> > > c\n> > d\n>\n> e\n\n> another\nlazy",
    "a quote with everything": (
        "> # h\n> **b** `c` [l](https://a.example)\n>\n> | a | b |\n> |---|---|\n"
        "> | 1 | 2 |\n>\n> ---"
    ),
    "task lists": (
        "- [ ] open\n- [x] **done**\n  - [X] nested\n- [ ]none\n1. [ ] numbered\n\n[ ] no item"
    ),
    "rules": "a\n\n---\n\nb\n***\nc\n\n___",
    "a table": "| Name | Age |\n|---|--:|\n| Ada | 36 |\n| Grace | 85 |",
    "a table with emphasis": (
        "| **A** | *B* | `C` |\n|:-:|:--|--:|\n| **1** | ~~2~~ | `a|b` \\| c |"
    ),
    "a table with wide letters": (
        f"| 名前 | {FLAG} | e\u0301 |\n|---|---|---|\n| 漢字 | {FAMILY} | {THUMB}{KEYCAP} "
        "|\n| ａ | 🙂 | ❤️ |"
    ),
    "a table with few cells": "| a | b | c |\n|---|---|---|\n| 1 |\n| 1 | 2 | 3 | 4 |\n||",
    "a table without rows": "| a | b |\n|---|---|",
    "a table without names": "|  |  |\n|---|---|\n| a | b |",
    "a table wider than a phone": (
        "| Option | What it does | When |\n|---|---|---|\n| `--all` | Shows **everything** "
        "that there is | Never, *or* once a year |\n| x | | y |"
    ),
    "a table with links": (
        "| Site | Address |\n|---|---|\n| [Docs](https://a.example/d) | https://b.example "
        "|\n| none | |"
    ),
    "a wide table without rows": f"| {'a' * 30} | {'b' * 30} |\n|---|---|",
    "a table of a hundred columns": "|" + "ab|" * 100 + "\n|" + "-|" * 100 + "\n|" + "1|" * 100,
    "a wide table in a list": f"- see:\n\n  | a | b |\n  |---|---|\n  | {'x ' * 25} | y |\n\n- end",
    "text next to a table": "before\n\n| a |\n|---|\n| 1 |\nlazy row\n\nafter",
    "no table at all": "| a | b\n| 1 | 2\n\na | b\nc | d",
    "links": (
        '[a](https://a.example) [b](<https://b.example/x y> "title") [c][c]\n'
        "\n[c]: https://c.example 'T'"
    ),
    "links with brackets": (
        "[a [b] c](https://a.example/x_(y)) [d](https://b.example/(z)) [e\\]](https://c.example/?q=[1])"
    ),
    "links with looks": (
        "[**bold** and `code`](https://a.example) **[in bold](https://b.example)** "
        "[`c`](https://c.example)"
    ),
    "links without words": "[](https://a.example) []() [ ](https://b.example) [x]()",
    "links that are none": (
        "[a](javascript:alert(1)) [b](data:text/html,x) [c](/local) [d](ftp://x.example) "
        "[e](#f) [f](//x.example)"
    ),
    "links that Telegram refuses": (
        "[a](http://localhost:8000/x) [b](mailto:ada@example.org) [c](http://user@x.example) "
        "[d](http://[::1]/) > [e](mailto:e@x.example?subject=s)"
    ),
    "addresses in text": (
        "See https://a.example/x_(y)?a=b&c=d#e, <https://b.example> and http://c.example. "
        "README.md ada@example.org <ada@example.org>"
    ),
    "an address in quotes and brackets": (
        '("https://a.example/a") [https://b.example] *https://c.example/*'
    ),
    "international addresses": "https://bücher.example/straße?q=ü [x](https://例え.example/パス)",
    "pictures": (
        "![a cat](https://a.example/c.png) ![](https://b.example/d.png) Wow![x](https://c.example) "
        "\\![no](https://d.example)"
    ),
    "a picture in a link": "[![badge](https://a.example/b.svg)](https://c.example)",
    "html": "<b>bold</b> a<br>b <script>alert(1)</script>\n\n<div>\n\n*x*\n\n</div>\n<!-- note -->",
    "html in code": '`<b>` and\n\n```html\n<p class="x">&amp;</p>\n```',
    "entities": "&lt;b&gt; &amp;amp; &copy; &#8364; &#x1F600; &nbsp;&nbsp;x &unknown; AT&T",
    "footnotes": "Said so.[^1] And[^note].\n\n[^1]: The source.\n[^note]: https://a.example",
    "definitions and math": "Term\n: Meaning\n\n$E = mc^2$ and $$\\int_0^1 x\\,dx$$ and \\(a_b\\)",
    "emoji with joiners": f"{FAMILY} **{FAMILY}{THUMB}** {KEYCAP} `{FAMILY}` 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️‍🔥",
    "flags": f"{FLAG}🇫🇷🇯🇵 **{FLAG}** 🇩 🇪🇺",
    "right to left": (
        "**שלום** עולם [קישור](https://a.example) `קוד`\n\n- مرحبا *بالعالم*\n- \u200fאבג abc 123"
    ),
    "changes of direction": "a \u202eevil\u202c b \u2066x\u2069 \u200e**c**\u200f",
    "combining characters": (
        "e\u0301a\u0308 **n\u0303o** Z\u0351\u036b\u0343a\u0306l\u0310g\u034co *ก็ดี* नमस्ते"
    ),
    "signs beyond two bytes": f"**𝄞** *𝔘𝔫𝔦* `𠮷` [𠮷野家](https://a.example) {CLEFS[:3]} ~~😀~~",
    "invisible signs": "a\u200bb\u2060c \u00ad**d**\ufeff \u00a0e\u00a0",
    "odd line ends": "a\r\nb\rc\u2028d\u0085e\x0bf\n\n\n\ng  \nh\\\ni",
    "tabs": "a\tb\n\n\tcode\twith\ttabs\n\n-\titem\n\t- nested",
    "code blocks": (
        "```\nno language\n```\n~~~python title=x\ny = 1\n~~~\n````md\n```js\nz\n"
        "```\n````\n\n    indented\n\n    more"
    ),
    "code without words": "a\n\n```\n```\n\n```py\n\n\n```\nb",
    "code that never ends": "Look:\n\n```python\nx = 1\n\n**y**",
    "code with blank lines around": "```python\n\n\nx = 1\n\n\n```\nend",
    "indented code first": "```\n    first\n  second\n```",
    "empty": "",
    "spaces alone": " \n\n\t \n \u00a0 \u3000\n",
    "invisible signs alone": "\u200b\u200d\ufeff\n\n\u2060",
    "nothing but a definition": "[a]: https://a.example",
    "nothing but marks": "****\n\n~~~~\n\n__",
    "zeros": "a\x00b **c\x00** `\x00`",
    "30,000 letters": "word " * 6_000,
    "30,000 letters without a space": "x" * 30_000,
    "30,000 letters of code": _code(1_000),
    "30,000 letters of bold": "**" + "word " * 6_000 + "end**",
    "30,000 letters of a quote": "\n".join(f"> line {number} *x*" for number in range(1_700)),
    "30,000 letters in a link": f"[{'word ' * 5_999}end](https://a.example)",
    "paragraphs": "\n\n".join(f"Paragraph {number}. {'word ' * 60}" for number in range(90)),
    "a long list": "\n".join(
        f"{number}. **item** `{number}` with *words*" for number in range(1, 900)
    ),
    "a long table": "| n | square |\n|--:|--:|\n"
    + "\n".join(f"| {n} | {n * n} |" for n in range(600)),
    "a long text of clefs": CLEFS,
    "a long text of families": FAMILY * 800,
    "a long text of flags": FLAG * 2_000,
    "a heap of marks": "a" + "\u0301" * 9_000,
    "many bold words": " ".join(f"**{number}**" for number in range(450)),
    "many nested looks": " ".join(f"***~~{number}~~***" for number in range(150)),
    "bold words in a quote": "> " + " ".join(f"**{number}**" for number in range(250)),
    "code between paragraphs": "Intro.\n\n"
    + "word " * 700
    + "\n\n"
    + _code(60, "js")
    + "\n\nOutro.",
    "a heading at the border": "word " * 815 + "\n\n# Heading\n\n" + "text " * 50,
    "one unit below the limit": "a" * (LIMIT - 1),
    "exactly the limit": "a" * LIMIT,
    "one unit above the limit": "a" * (LIMIT + 1),
    "a pair on the limit": "a" * (LIMIT - 1) + "😀" + "b" * 10,
    "a family on the limit": "a" * (LIMIT - 3) + FAMILY + "b",
    "a mark on the limit": "a" * (LIMIT - 1) + "e\u0301" * 3,
    "a link on the limit": "a " * 2_040 + "[a link of some words](https://a.example) and on",
    "bold on the limit": "a " * 2_040 + "**some bold words that cross it** and on",
    "code on the limit": "a " * 2_040 + "`some code that crosses it` and on",
    "a space on the limit": "a" * LIMIT + " " + "b" * LIMIT,
}
