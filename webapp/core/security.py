"""Headers, hosts and limits that hold for every page."""

import secrets
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from typing import ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, request
from flask_limiter import ApplicationLimit, Limiter, RequestLimit
from flask_wtf.csrf import (  # pyright: ignore[reportMissingTypeStubs]
    CSRFProtect,
    generate_csrf,  # pyright: ignore[reportUnknownVariableType]
)
from markupsafe import Markup
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.sansio.utils import host_is_trusted

from channels import registry
from gateways import values
from models.errors import Refused
from models.people import users
from settings import Settings, get_settings
from webapp.core import devices, shares, sizes
from webapp.core.shares import network, visitor

# A load balancer asks for these by address, not by name.
ANY_HOST = {"health.alive", "health.ready"}

P = ParamSpec("P")
R = TypeVar("R")

csrf = CSRFProtect()


class NotKept(Refused):
    """There is a character in a form that the database cannot keep."""

    code = "not_kept"


# Stripe and messengers send as much as they have to say, and prove that it is theirs.
ANY_RATE = {"stripe_webhooks.hear", "channel_webhooks.receive"}


def post_limit() -> str:
    return get_settings().post_rate_limit


limiter = Limiter(
    network,
    key_prefix="web",
    application_limits=[
        ApplicationLimit(
            post_limit,
            key_function=visitor,
            methods=["POST"],
            scope="posts",
            exempt_when=lambda: request.endpoint in ANY_RATE,
        )
    ],
)


def install(app: Flask, settings: Settings) -> None:
    """Set what protects the site and its visitors."""
    config = cast(dict[str, object], app.config)
    config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        # With this name a browser takes the cookie from no neighbouring host.
        SESSION_COOKIE_NAME="__Host-session" if settings.is_secure else "session",
        SESSION_COOKIE_SECURE=settings.is_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # As long as the row it names; sent once, at login.
        PERMANENT_SESSION_LIFETIME=settings.session_days * 86400,
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_TIME_LIMIT=None,
        RATELIMIT_STORAGE_URI=settings.redis_url.get_secret_value(),
        RATELIMIT_STORAGE_OPTIONS={"socket_connect_timeout": 1, "socket_timeout": 1},
        # Without Redis each process counts for itself: weaker, but people can still log in.
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        # Whoever was asking when another request saw that Redis had gone is let through.
        RATELIMIT_SWALLOW_ERRORS=True,
        RATELIMIT_HEADERS_ENABLED=True,
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)
    # First: what follows reads the body, for as long as a visitor takes to send it.
    shares.install(app, settings)
    # Whatever comes next reads forms.
    sizes.install(app, settings)
    # Before it is counted: the limiter takes whatever fails for its own storage.
    app.before_request(_look_who_posts)
    # Counted before it is looked into: a form without its token is read whole to find that out.
    limiter.init_app(app)
    csrf.init_app(app)  # pyright: ignore[reportUnknownMemberType]
    trusted = [urlsplit(settings.public_url).hostname or "", *settings.trusted_hosts]
    app.before_request(lambda: _refuse_strange_hosts([*trusted, "127.0.0.1", "localhost"]))
    app.before_request(_refuse_what_cannot_be_kept)
    app.after_request(partial(_add_headers, secure=settings.is_secure))
    app.add_template_global(nonce, "csp_nonce")
    app.add_template_global(csrf_field, "csrf")


def _look_who_posts() -> None:
    if request.method == "POST" and request.endpoint not in ANY_RATE:
        visitor()


def nonce() -> str:
    """Return this request's nonce: scripts that carry it may run."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return g.csp_nonce


def csrf_field() -> Markup:
    """Draw the hidden field without which no form is taken."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


def login_limit() -> str:
    return get_settings().login_rate_limit


def signup_limit() -> str:
    return get_settings().signup_rate_limit


def mail_limit() -> str:
    return get_settings().mail_rate_limit


def limit_mails(
    address: Callable[[], str],
    *,
    deduct_when: Callable[[Response], bool] | None = None,
    on_breach: Callable[[RequestLimit], Response | None] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Limit a view that has mail sent to an address, which `address` names by its `address_key`.

    All such views count together: a mailbox is not to be flooded by using one after another.
    """
    return limiter.shared_limit(
        mail_limit,
        scope="mails",
        key_func=address,
        deduct_when=deduct_when,
        on_breach=on_breach,
    )


def payment_limit() -> str:
    return get_settings().payment_rate_limit


def import_limit() -> str:
    return get_settings().import_rate_limit


def upload_limit() -> str:
    return get_settings().upload_rate_limit


def body_bytes() -> int:
    """Count a request by the bytes of its body; one that does not say counts as the longest."""
    is_unsaid = "chunked" in request.headers.get("Transfer-Encoding", "")
    return max(1, request.content_length or (request.max_content_length or 0) * is_unsaid)


def address_in_form() -> str:
    """Count by the e-mail address that was typed, however it is spelled, without keeping it."""
    typed = request.form.get("email", "")
    try:
        return address_key(users.normal_address(typed))
    except users.BadAddress:
        return address_key(typed.strip().lower())


def address_key(address: str) -> str:
    """Name a normal address in counters that anybody may read."""
    return "address:" + sha256(address.encode()).hexdigest()[:32]


def guessed_account() -> str:
    """Name whose password is guessed, as far as guesses are counted together."""
    device = devices.known_device()
    return f"device:{device}" if device else address_in_form()


def guessing_visitor() -> str:
    """Name who guesses: a known device, or the network that a stranger is in."""
    device = devices.known_device()
    return f"visitor:device:{device}" if device else network()


def _refuse_strange_hosts(trusted: list[str]) -> None:
    if request.endpoint not in ANY_HOST and not host_is_trusted(request.host, trusted):
        abort(400)


def _refuse_what_cannot_be_kept() -> None:
    # What no text in PostgreSQL may hold, and no JSON there either.
    in_form = () if request.endpoint in sizes.WEBHOOKS else request.form.lists()
    given = [*request.args.lists(), *in_form]
    if not all(values.is_keepable(one) for name, texts in given for one in (name, *texts)):
        raise NotKept


def _pages_elsewhere(settings: Settings) -> tuple[str, ...]:
    """List where forms may lead: to Stripe's page, to choose an account, and to a messenger."""
    issuer = urlsplit(settings.google_issuer)
    google = (f"{issuer.scheme}://{issuer.netloc}",) if settings.offers_google else ()
    return (*settings.payment_page_origins, *google, *_messengers())


def _messengers() -> Iterator[str]:
    # On a phone the form that connects a messenger leads straight there.
    yield from (channel.link_origin for channel in registry.installed())


def _add_headers(response: Response, secure: bool) -> Response:
    policy = {
        "default-src": "'none'",
        "script-src": f"'self' 'nonce-{nonce()}'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "form-action": " ".join(("'self'", *_pages_elsewhere(get_settings()))),
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    headers = response.headers
    if response.status_code != 304:
        # A page that the browser has kept stays under the policy that named its nonce.
        headers.setdefault(
            "Content-Security-Policy",
            "; ".join(f"{name} {value}" for name, value in policy.items()),
        )
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(self)")
    if secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    return response
