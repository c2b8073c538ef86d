"""Ways to begin, made from what a person said they need help with."""

LONGEST = 90
COUNT = 4
# By the suggestions of onboarding, in lower case.
FOR_NEEDS = {
    "plan my week": "Help me plan my week. Ask me what is fixed already.",
    "write e-mails": "Help me write an e-mail. Ask me who it is for and what it should achieve.",
    "learn a language": "Teach me ten words of a new language, and quiz me tomorrow.",
    "cook at home": "What could I cook tonight? Ask me what is in the kitchen.",
    "study for exams": "Make me a plan to study for an exam. Ask me when it is.",
    "run my business": "Ask me five questions about my business, and remember the answers.",
    "read paperwork": "I will send you a letter. Tell me what it wants from me and by when.",
    "keep habits": "Help me keep one new habit. Ask me which one.",
}
FOR_ALL = (
    "What can you do for me?",
    "Ask me three questions to get to know me better.",
    "Remember that I like short answers.",
    "What do you know about me?",
)


def suggestions(needs: str) -> list[str]:
    """Offer a few first messages: for each need that was named, filled up with general ones."""
    named = [" ".join(line.split()).strip("-*• ") for line in needs.splitlines()]
    fitting = [_first_words(need) for need in named if 0 < len(need) <= LONGEST]
    return list(dict.fromkeys([*fitting, *FOR_ALL]))[:COUNT]


def _first_words(need: str) -> str:
    return FOR_NEEDS.get(need.lower().rstrip("."), f"Let us begin with this: {need}")
