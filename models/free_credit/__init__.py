"""The free credit: once a person, as far as can be told without knowing them.

Addresses and networks are kept as salted hashes only, also after an account is gone.
"""

from models.free_credit.claims import (
    FreeCreditClaim,
    FreeCreditRefusal,
    RefusalReason,
    decide,
    find_refusal,
)

__all__ = ["FreeCreditClaim", "FreeCreditRefusal", "RefusalReason", "decide", "find_refusal"]
