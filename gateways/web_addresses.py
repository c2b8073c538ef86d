"""Addresses on the web that may be asked: public ones, in the form in which they are compared."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from yarl import URL

from gateways import values
from gateways.values import BadValue

PORTS = {"http": 80, "https": 443}
MOST_BYTES = 2_000
# Of IPv6 only this is given out to the public; the second holds one in examples.
PUBLIC_V6 = ip_network("2000::/3")
NOT_PUBLIC = tuple(
    map(ip_network, ("192.88.99.0/24", "192.0.0.0/24", "3fff::/20", "2001:db8::/32", "2001::/23"))
)
# IPv6 that leads to an IPv4 address in its last bits.
NAT64 = ip_network("64:ff9b::/96")
IN_LAST_BITS = (NAT64, ip_network("::/96"), ip_network("::ffff:0:0:0/96"))
ISATAP = 0x00005EFE
# The names of one machine, or of one network, wherever they lead.
INNER_NAME = re.compile(
    r"(?:.*\.)?(?:localhost|local|internal|intranet|lan|home|corp|localdomain|arpa|onion)"
)
NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)+"
)


class BadAddress(Exception):
    """This is no address of the public web."""


def canonical(given: object) -> str:
    """Return an address as it is compared and asked: without a fragment, all of it ASCII.

    Raises BadAddress for another scheme or port, for credentials, and for a host that is written
    as an address that is not public. Where a name leads is seen when it is asked.
    """
    try:
        url = URL(values.text(given, most_bytes=MOST_BYTES).strip())
        host, port = (url.raw_host or "").rstrip("."), url.explicit_port
        # Without a path it is the same as with the first one.
        whole = url.with_path("/", keep_query=True) if url.raw_path == "/" else url
        plain = str(whole.with_fragment(None))
        # What connects later must read it as it was read here.
        if url.scheme not in PORTS or urlsplit(plain).hostname != url.raw_host:
            raise BadAddress("only http and https")
        values.web_address(plain)
    except (BadValue, ValueError, TypeError) as odd:
        raise BadAddress("no address") from odd
    if url.user is not None or url.password is not None:
        raise BadAddress("credentials")
    if port not in (None, PORTS[url.scheme]):
        raise BadAddress("another port")
    _refuse_inner(host)
    return plain


def is_public(text: str) -> bool:
    """Tell whether an IP address is anybody's to reach, whatever is packed into it."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    inner = _packed(address) if isinstance(address, IPv6Address) else None
    if inner is not None:
        return is_public(str(inner))
    if any(address in net for net in NOT_PUBLIC if net.version == address.version):
        return False
    if isinstance(address, IPv6Address) and address not in PUBLIC_V6:
        return False
    is_odd = address.is_private or address.is_reserved or address.is_multicast
    return address.is_global and not is_odd


def _packed(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that one of IPv6 leads to, if it does."""
    if address.teredo is not None:
        return address.teredo[1]
    found = address.ipv4_mapped or address.sixtofour
    bits = int(address)
    is_last = any(address in net for net in IN_LAST_BITS)
    if found is None and (is_last or bits >> 32 & 0xFDFFFFFF == ISATAP):
        return IPv4Address(bits & 0xFFFFFFFF)
    return found


def _refuse_inner(host: str) -> None:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        if INNER_NAME.fullmatch(host) or not NAME.fullmatch(host):
            raise BadAddress("not a public name") from None
        return
    if not is_public(host):
        raise BadAddress("not a public address")
