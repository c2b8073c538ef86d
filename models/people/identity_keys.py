"""What two accounts of one person have in common: a mailbox, or a network."""

import hmac
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from disposable_email_domains import blocklist

from settings import Settings, get_settings

# One mailbox under several names.
DOMAIN_ALIASES = {
    "googlemail.com": "gmail.com",
    "protonmail.com": "proton.me",
    "pm.me": "proton.me",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
}
# What these mailboxes do not look at in the part before the @.
IGNORED_MARKS = {"gmail.com": ".", "proton.me": ".-_"}
IPV4_PREFIX, IPV6_PREFIX = 24, 48


def mailbox_of(address: str) -> str:
    """Bring a normal address into the form that all addresses of one mailbox share."""
    name, _, domain = address.lower().rpartition("@")
    domain = DOMAIN_ALIASES.get(domain, domain)
    # What follows a plus is a tag nearly everywhere; a name that is nothing but a tag is none.
    name = name.partition("+")[0] or name
    kept = "".join(letter for letter in name if letter not in IGNORED_MARKS.get(domain, ""))
    return f"{kept}@{domain}"


def network_of(ip: str | None) -> str | None:
    """Return the network of an address on the public internet: an IPv4 /24 or an IPv6 /48.

    Any other address, such as that of a proxy of ours, says nothing of who comes from there.
    """
    try:
        address = ip_address(ip or "")
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if not address.is_global:
        return None
    prefix = IPV4_PREFIX if address.version == 4 else IPV6_PREFIX
    return str(ip_network(f"{address}/{prefix}", strict=False))


def hashed(what: str, value: str) -> str:
    """Hash a value with the secret key as the salt, so that nobody else can try values out."""
    key = get_settings().secret_key.get_secret_value().encode()
    return hmac.new(key, f"free credit, {what}: {value}".encode(), "sha256").hexdigest()


def is_disposable(address: str) -> bool:
    """Tell whether anybody can have an address of this domain for some minutes."""
    settings = get_settings()
    domains = _and_above(address.rpartition("@")[2])
    if domains & set(settings.lasting_domains):
        return False
    return bool(domains & (_disposable() | set(settings.disposable_domains)))


def is_blocked(address: str, ip: str | None) -> bool:
    """Tell whether the settings name this address, its domain or one above it, or its network."""
    blocked = set(get_settings().free_credit_blocked)
    named = {address, mailbox_of(address), *_and_above(address.rpartition("@")[2])}
    return bool(named & blocked) or _is_in_blocked_network(get_settings(), ip)


def domains_of(address: str) -> list[str]:
    """Return the domain of an address and those above it, without what ends them all."""
    return sorted(_and_above(address.rpartition("@")[2]))


def _is_in_blocked_network(settings: Settings, ip: str | None) -> bool:
    try:
        address = ip_address(ip or "")
    except ValueError:
        return False
    networks = (entry for entry in settings.free_credit_blocked if "/" in entry)
    return any(address in ip_network(entry, strict=False) for entry in networks)


def _and_above(domain: str) -> set[str]:
    """Return a domain and those above it: a disposable one may have others below."""
    parts = domain.split(".")
    return {".".join(parts[at:]) for at in range(len(parts) - 1)}


@lru_cache(maxsize=1)
def _disposable() -> frozenset[str]:
    return frozenset(blocklist)
