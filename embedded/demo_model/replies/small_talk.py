"""Greetings, the time, a sample of code, and what to say when nothing else fits."""

import re
from datetime import UTC, datetime

from embedded.demo_model.prompt import Moment
from embedded.demo_model.reply import Reply

# What OpenClaw takes as having nothing to say.
SILENT = "NO_REPLY"
HOUSEKEEPING = "Pre-compaction memory flush"
GREETING = re.compile(
    r"^(?:hi|hello|hey|good (?:morning|day|evening|afternoon)|hallo|how are you)\b", re.I
)
THANKS = re.compile(r"^(?:thanks|thank you|thx|great|perfect|ok|okay|cool)\b", re.I)
TIME = re.compile(
    r"what(?:'s| is) the (?:time|date)|what time|what day|which day|today's date", re.I
)
CODE = re.compile(r"\b(?:code|python|javascript|function|script|program|snippet)\b", re.I)
ITSELF = re.compile(
    r"who are you|what are you|what can you do|\bhelp\b|how do(?:es)? (?:this|it|you) work|demo",
    re.I,
)
SAMPLES = {
    "fibonacci": "def fibonacci(count):\n    a, b = 0, 1\n    for _ in range(count):\n"
    "        yield a\n        a, b = b, a + b\n\n\nprint(list(fibonacci(10)))",
    "prime": "def is_prime(number):\n    return number > 1 and all(\n"
    "        number % divisor for divisor in range(2, int(number**0.5) + 1)\n    )\n\n\n"
    "print([n for n in range(30) if is_prime(n)])",
    "revers": 'def reverse(text):\n    return text[::-1]\n\n\nprint(reverse("hello"))',
}
ANY_SAMPLE = (
    'def greet(name):\n    """Say hello to someone."""\n    return f"Hello, {name}!"\n\n\n'
    'print(greet("world"))'
)
ABILITIES = (
    "- I **remember** what you tell me: *my dog's name is Rex*. Ask for it in any conversation.\n"
    "- I know who you are and what you want help with.\n"
    "- I **remind** you: *remind me in 2 minutes to stretch*. Ask too *what did I say about Rex?* "
    "or *what have I spent?*\n"
    "- I **look things up**: *look up the ferry to Gull Island*, or send me an address to read.\n"
    "- I write you a **file**: *write me a file with eggs, milk and bread*.\n"
    "- I do **tasks** at a time: *every Monday at 8 check what I planned*.\n"
    "- I keep **lists**: *put milk on my shopping list*.\n"
    "- I know how the service works: *how do credits work?*\n"
    "- I tell the **time** where you are, and do small sums: `12 * (3 + 4)`.\n"
    "- I look at what you attach: images by their size, texts by how they begin.\n"
    "- I show **code**: ask for a Python function."
)


def housekeeping(at: Moment) -> Reply | None:
    """Keep out of what OpenClaw asks for itself."""
    return Reply(SILENT) if at.asking.words.startswith(HOUSEKEEPING) else None


def greeting(at: Moment) -> Reply | None:
    """Greet the person by name, with what they want help with."""
    if not GREETING.match(at.asking.words):
        return None
    hello = f"Hello {at.whom.name}!" if at.whom.name else "Hello!"
    needs = f" You wanted help with this: *{at.whom.needs}*" if at.whom.needs else ""
    again = any(said.role == "assistant" for said in at.asked.earlier)
    return Reply(f"{hello}{'' if again else needs}\n\nWhat can I do for you?")


def thanks(at: Moment) -> Reply | None:
    """Take thanks."""
    return Reply("You are welcome.") if THANKS.match(at.asking.words) else None


def local_time(at: Moment) -> Reply | None:
    """Tell the time where the person is, as their message does."""
    if not TIME.search(at.asking.words):
        return None
    now, zone = at.asking.at or datetime.now(UTC), at.asking.timezone or "UTC"
    return Reply(f"It is **{now:%H:%M}** on {now:%A}, {now.day} {now:%B %Y} ({zone}).")


def code(at: Moment) -> Reply | None:
    """Show a piece of Python."""
    if not CODE.search(at.asking.words):
        return None
    lowered = at.asking.words.lower()
    sample = next((code for name, code in SAMPLES.items() if name in lowered), ANY_SAMPLE)
    return Reply(
        f"Here is a piece of Python:\n\n```python\n{sample}\n```\n\n"
        "Save it as `demo.py` and run `python demo.py`."
    )


def about_itself(at: Moment) -> Reply | None:
    """Say what it is and what it can do."""
    if not ITSELF.search(at.asking.words):
        return None
    return Reply(
        "I am the **demo model** of this service. I am no intelligence, but everything around me "
        f"is real: the assistant, its tools, its memory, and what is paid for.\n\n{ABILITIES}"
    )


def anything(at: Moment) -> Reply:
    """Say honestly that this needs a real model, and what there is instead."""
    you = f", {at.whom.name}" if at.whom.name else ""
    words = " ".join(at.asking.words.split())[:200]
    return Reply(
        f"I am the demo model, so I cannot answer this as a real one would{you}. You said:\n\n"
        f"> {words or '(nothing)'}\n\nWhat I can do:\n\n{ABILITIES}"
    )
