"""The website: one blueprint a part, drawn on the server, with HTMX on top."""

from typing import cast

from flask import Flask
from jinja2 import StrictUndefined

from settings import Settings
from webapp import (
    account,
    admin,
    admin_books,
    alerts,
    assets,
    billing,
    chat,
    chat_jobs,
    chat_list,
    chat_rows,
    credentials,
    database,
    engine,
    errors,
    es_modules,
    formats,
    google,
    google_connection,
    google_settings,
    health,
    htmx,
    landing,
    languages,
    limits,
    live,
    onboarding,
    password_reset,
    preferences,
    prices,
    receipts,
    request_log,
    security,
    sign_in,
    sign_ups,
    stripe_webhooks,
    uploads,
    usage,
    verification,
)

# Each part of the site is a module with a blueprint named `pages`.
PARTS = (
    *(health, landing, account, onboarding, preferences, engine),
    *(sign_ups, verification, password_reset, credentials),
    *(google, google_connection, google_settings),
    *(chat, chat_jobs, chat_list, chat_rows, uploads),
    *(alerts, limits, prices, receipts, usage),
    *(billing, stripe_webhooks, admin_books),
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
    admin.install(app)
    security.install(app, settings)
    database.install(app)
    sign_in.install(app)
    live.install(app, settings)
    for layer in (htmx, assets, es_modules, formats, languages, errors):
        layer.install(app)
    for part in PARTS:
        app.register_blueprint(part.pages)
    return app
