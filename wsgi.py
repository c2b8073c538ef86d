"""Where gunicorn starts the website. Its gevent worker patches the standard library before."""

from collections.abc import Callable
from typing import Any

import gevent

from actions import voice
from channels import registry
from gateways import logs
from models import database
from models.people import passwords
from settings import get_settings
from telegram_bot import channels_of
from untrusted import lanes
from untrusted.kinds import FILES, TEXTS
from webapp import create_app
from webapp.core import own_stack


def _in_a_thread(work: Callable[[], Any]) -> Any:
    # Computing in the event loop would hold up every answer that is being streamed.
    return gevent.get_hub().threadpool.apply(work)


logs.configure(get_settings())
database.connect(get_settings().database_url.get_secret_value())
passwords.set_executor(_in_a_thread)
# Whoever sends a file, or watches an answer, does not wait for what looks into it.
lanes.warm(FILES, TEXTS)
# Nor does whoever speaks first, nor anybody else meanwhile, for what calls a provider.
voice.load()
registry.install(channels_of(get_settings()))
app = create_app(get_settings())
own_stack.install(app)
