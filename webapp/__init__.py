"""The website: a package for each part of it, rendered on the server, with HTMX on top."""

from typing import cast

from flask import Flask
from jinja2 import StrictUndefined

from settings import Settings
from webapp.accounts import (
    credentials,
    deletion,
    google,
    google_connection,
    google_settings,
    invitations,
    login,
    login_code,
    notifications,
    onboarding,
    password_reset,
    preferences,
    sign_ups,
    two_factor,
    verification,
)
from webapp.admin import (
    abuse,
    access,
    account_orders,
    accounting,
    admin_invitations,
    admin_log,
    bulk,
    money_orders,
    overview,
    pauses,
    people,
    queue,
    reports,
    simulator,
    switches,
    user_actions,
    workers,
)
from webapp.channels import connection, linking, webhooks
from webapp.chat import answers, conversation_rows, conversations, routes, uploads, voice
from webapp.core import (
    alerts,
    assets,
    auth,
    db,
    engine_banner,
    errors,
    es_modules,
    formats,
    health,
    htmx,
    languages,
    live,
    messengers,
    request_log,
    security,
    switched,
)
from webapp.money import billing, limits, receipts, stripe_webhooks, usage
from webapp.public import landing, prices
from webapp.reminders import calendar, reminders

# Each part of the site is a module with a blueprint named `pages`.
PARTS = (
    *(health, landing, login, onboarding, preferences, engine_banner),
    *(sign_ups, verification, password_reset, credentials, notifications),
    *(google, google_connection, google_settings, invitations, login_code, two_factor, deletion),
    *(routes, answers, conversations, conversation_rows, uploads, voice),
    *(alerts, limits, prices, receipts, usage),
    *(billing, stripe_webhooks),
    *(overview, reports, people, user_actions, queue, pauses, workers, switches, admin_log),
    *(bulk, money_orders, account_orders),
    *(accounting, simulator, abuse, admin_invitations),
    *(webhooks, connection, linking),
    *(reminders, calendar),
)


def create_app(settings: Settings) -> Flask:
    """Build the site. `models.database.connect` must have been called, or be before a request."""
    app = Flask(__name__, static_folder=None)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    # A global, not a context processor: imported macros see only globals.
    known = cast(dict[str, object], app.jinja_env.globals)
    known["product_name"] = settings.product_name
    known["support_email"] = settings.support_address
    # The order matters: what is installed last sees a response first.
    request_log.install(app)
    access.install(app)
    security.install(app, settings)
    db.install(app)
    auth.install(app)
    live.install(app, settings)
    for layer in (htmx, assets, es_modules, formats, languages, messengers, switched, errors):
        layer.install(app)
    for part in PARTS:
        app.register_blueprint(part.pages)
    return app
