"""What strangers and machines see first."""

from flask import Blueprint, Response, jsonify, render_template

from actions import offers
from models.ops import switches
from settings import get_settings
from webapp.core.assets import address
from webapp.core.db import db

pages = Blueprint("landing", __name__)


@pages.get("/")
def show() -> str:
    """Explain the product."""
    return render_template(
        "public/landing/page.html",
        grant_micros=switches.current(db()).sign_up_grant_micros,
        margin_percent=switches.current(db()).margin_percent,
        models=offers.names(),
    )


@pages.get("/robots.txt")
def robots() -> Response:
    """Let search engines read the landing page and nothing behind the door."""
    closed = (
        *(
            "/chat",
            "/settings",
            "/reminders",
            "/lists",
            "/billing",
            "/limits",
            "/usage",
            "/onboarding",
            "/engine",
        ),
        *("/verification", "/address", "/signup/"),
    )
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    return Response("\n".join(lines) + "\n", mimetype="text/plain")


@pages.get("/manifest.webmanifest")
def manifest() -> Response:
    """Describe the site to a phone that installs it."""
    icons = [
        {"src": address("icons/icon-192.png"), "sizes": "192x192", "type": "image/png"},
        {"src": address("icons/icon-512.png"), "sizes": "512x512", "type": "image/png"},
        {
            "src": address("icons/maskable-512.png"),
            "sizes": "512x512",
            "type": "image/png",
            "purpose": "maskable",
        },
    ]
    name = get_settings().product_name
    response = jsonify(
        {
            "name": name,
            "short_name": name,
            "id": "/",
            "start_url": "/chat",
            "scope": "/",
            "display": "standalone",
            "background_color": "#f4f8f6",
            "theme_color": "#f4f8f6",
            "icons": icons,
        }
    )
    response.mimetype = "application/manifest+json"
    return response


@pages.get("/favicon.ico")
def favicon() -> Response:
    """Answer those who ask for the icon by its old name."""
    return Response(status=302, headers={"Location": address("icons/favicon.svg")})
