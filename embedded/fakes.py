"""The servers that stand in for companies, and the settings that lead the product to them.

Their secrets and ports are the same every time, so that what they keep stays theirs.
"""

import json
from dataclasses import dataclass

from embedded import product
from embedded.data_folder import DataFolder
from embedded.ports import LOCALHOST
from embedded.process import Program

# With which the token of the stand-in's bot begins.
BOT_ID = 7_000_000_001


@dataclass(frozen=True)
class Fake:
    """A stand-in that is yet to start."""

    program: Program
    settings: dict[str, str]


def stripe(folder: DataFolder, site_url: str) -> Fake:
    """Take payments in which no money moves."""
    port, secret = folder.port("stripe"), _webhook_secret(folder)
    data = folder.path / "stripe" / "account.sqlite"
    program = product.fake_stripe(port, secret, data, f"{site_url}/webhooks/stripe")
    return Fake(program, stripe_settings(folder, port))


def stripe_settings(folder: DataFolder, port: int) -> dict[str, str]:
    """Return the settings that lead to the stand-in for Stripe on `port`."""
    url = f"http://{LOCALHOST}:{port}"
    return {
        "STRIPE_SECRET_KEY": f"sk_test_{folder.secret('stripe_key')}",
        "STRIPE_WEBHOOK_SECRET": _webhook_secret(folder),
        "STRIPE_API_BASE": url,
        "PAYMENT_PAGE_ORIGINS": json.dumps([url]),
    }


def google(folder: DataFolder) -> Fake:
    """Sign people in with made-up accounts.

    It takes anybody's word for who they are, so it is for a machine of one's own alone.
    """
    port = folder.port("google")
    given = {
        "GOOGLE_CLIENT_ID": "shellmate",
        "GOOGLE_CLIENT_SECRET": folder.secret("google"),
        "GOOGLE_ISSUER": f"http://{LOCALHOST}:{port}",
    }
    client = given["GOOGLE_CLIENT_ID"], given["GOOGLE_CLIENT_SECRET"]
    return Fake(product.fake_google(port, *client), given)


def telegram(folder: DataFolder, bot_name: str) -> Fake:
    """Be a messenger in which anybody can write to the bot.

    Whoever has its page can be anybody on it, so it is for a machine of one's own alone.
    """
    port, page_token = folder.port("telegram"), folder.secret("telegram_page")
    url = f"http://{LOCALHOST}:{port}"
    given = {
        "TELEGRAM_BOT_TOKEN": f"{BOT_ID}:{folder.secret('telegram_bot')}",
        "TELEGRAM_WEBHOOK_SECRET": folder.secret("telegram_webhooks"),
        "TELEGRAM_API_BASE": url,
        # A link to the bot opens its page, which is not there without its token.
        "TELEGRAM_LINK_BASE": f"{url}/{page_token}",
    }
    tokens = {"TELEGRAM_BOT_TOKEN": given["TELEGRAM_BOT_TOKEN"], "TELEGRAM_PAGE_TOKEN": page_token}
    data = folder.path / "telegram" / "messenger.sqlite"
    return Fake(product.fake_telegram(port, tokens, data, bot_name), given)


def made_up_web(folder: DataFolder) -> Fake:
    """Be a search engine, and the web that it knows.

    Its names are looked for on this machine, so it is for a machine of one's own alone.
    """
    port = folder.port("example-web")
    given = {
        "SEARXNG_BASE_URL": f"http://{LOCALHOST}:{port}",
        "WEB_EXAMPLE_ADDRESS": f"{LOCALHOST}:{port}",
    }
    return Fake(product.fake_web(port), given)


def _webhook_secret(folder: DataFolder) -> str:
    return f"whsec_{folder.secret('stripe_webhooks')}"
