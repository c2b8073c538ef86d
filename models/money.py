"""How amounts are written for people."""

from decimal import ROUND_HALF_UP, Decimal


def money(micros: int) -> str:
    """Show micro-dollars: cents from one cent up, hundredths of a cent below, micros below that."""
    dollars = Decimal(abs(micros)) / 1_000_000
    if micros == 0 or dollars >= Decimal("0.01"):
        places = "0.01"
    else:
        places = "0.0001" if dollars >= Decimal("0.0001") else "0.000001"
    shown = dollars.quantize(Decimal(places), ROUND_HALF_UP)
    return f"{'-' if micros < 0 else ''}${shown:,f}"


def typed_dollars(micros: int) -> str:
    """Write an amount as people type it into a field: `12.50`."""
    return f"{Decimal(micros) / 1_000_000:.2f}"


def exact_dollars(micros: int) -> str:
    """Write an amount to the last micro-dollar, for machines: `-0.0056`."""
    return f"{Decimal(micros) / 1_000_000:f}"
