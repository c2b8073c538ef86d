"""Answers to the first messages that the service suggests, so that whoever tries one gets on."""

import re

from embedded.demo_model.prompt import Moment
from embedded.demo_model.replies.small_talk import ABILITIES
from embedded.demo_model.reply import Reply

LET_US = re.compile(r"^let us begin with this: (?P<need>.+)", re.I | re.S)
# What stands in a suggestion, and the answer to it.
ANSWERS = {
    r"what can you do for me": f"Quite a few things, even as a demo:\n\n{ABILITIES}",
    r"three questions to get to know me": """\
Gladly! Three questions:

1. Where do you live?
2. What do you do for a living?
3. What do you like to do when you are free?

Answer in sentences, one at a time, such as *I live in Porto*: I write them down and know them \
in every conversation.""",
    r"five questions about my business": """\
Here are five:

1. What do you sell, and to whom?
2. How do people find you?
3. What brings in the most money?
4. What takes up most of your time?
5. What should be different in a year?

Answer in sentences that begin with *My* or *I*, such as *My shop is open on Sundays*: I write \
them down.""",
    r"plan my week": """\
Let us plan it. What is fixed already?

| Day | Fixed |
|---|---|
| Monday | |
| Tuesday | |
| Wednesday | |
| Thursday | |
| Friday | |

Tell me appointments, working hours, and one thing that must be done by Friday.""",
    r"write an e-?mail": """\
Gladly. Two questions first:

1. Who is it for, and how well do you know them?
2. What should they do when they have read it?

A good e-mail then has three parts: why you write, what they need to know, and the one thing you \
ask for.""",
    r"ten words of a new language": """\
Here are ten words of Spanish:

| Spanish | English |
|---|---|
| hola | hello |
| gracias | thank you |
| la casa | the house |
| el agua | the water |
| el pan | the bread |
| hoy | today |
| mañana | tomorrow |
| comer | to eat |
| hablar | to speak |
| amigo | friend |

Come back tomorrow and write **quiz me**.""",
    r"^quiz me": """\
Here is your quiz. What do these mean in English?

1. gracias
2. la casa
3. hoy
4. hablar
5. amigo

The answers, so that you can check them: *thank you, the house, today, to speak, friend*.""",
    r"what could i cook tonight": """\
Let us see. What is in the kitchen?

- Something filling: rice, pasta, potatoes, bread?
- Eggs, cheese, beans, meat or fish?
- Which vegetables?

If you have eggs and anything green, an omelette is on the table in ten minutes.""",
    r"plan to study for an exam": """\
When is it, and how much is there to learn?

Until then, a plan that fits most exams:

1. Split what there is into parts of one evening each.
2. Each evening, first repeat yesterday's part from memory.
3. Keep the last three days for old exams only.""",
    r"i will send you a letter": """\
Send it: attach a PDF, a photo or the text. I will look for three things: who wants something, \
what it is, and by when.""",
    r"keep one new habit": """\
Which one would you like to keep?

Three things help with any of them:

- Make it so small that it takes two minutes.
- Tie it to something you do anyway, such as the first coffee.
- Tell me *I want to …*, and I will remember it.""",
}


def suggested(at: Moment) -> Reply | None:
    """Answer one of the suggestions for a first message."""
    words = at.asking.words
    for pattern, text in ANSWERS.items():
        if re.search(pattern, words, re.I):
            return Reply(text)
    named = LET_US.match(words)
    if named is None:
        return None
    need = " ".join(named["need"].split())
    return Reply(
        f"Let us begin with it: **{need}**. Three questions:\n\n1. What would be a good result?\n"
        "2. What have you tried already?\n3. By when does it matter?"
    )
