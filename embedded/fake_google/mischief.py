"""What can be made to go wrong, one at a time: what a forger, a thief or an outage would do."""

import enum


class Mischief(enum.StrEnum):
    NONE = "none"
    # In the ID token.
    UNVERIFIED_ADDRESS = "unverified_address"
    NO_ADDRESS = "no_address"
    WRONG_AUDIENCE = "wrong_audience"
    TWO_AUDIENCES = "two_audiences"
    WRONG_ISSUER = "wrong_issuer"
    NO_NONCE = "no_nonce"
    # The first nonce that was ever asked for, as in a token of an earlier attempt.
    REPLAYED_NONCE = "replayed_nonce"
    EXPIRED = "expired"
    FROM_THE_FUTURE = "from_the_future"
    ODD_SUBJECT = "odd_subject"
    # Around it.
    BAD_SIGNATURE = "bad_signature"
    FOREIGN_KEY = "foreign_key"
    UNSIGNED = "unsigned"
    SIGNED_WITH_THE_PUBLIC_KEY = "signed_with_the_public_key"
    NO_ID_TOKEN = "no_id_token"  # noqa: S105  # not one
    # On the way back.
    WRONG_STATE = "wrong_state"
    # Of the token endpoint.
    HANGS_UP = "hangs_up"
    FAILS = "fails"
    SLOW = "slow"
    TRICKLES = "trickles"
    HUGE = "huge"
    NO_JSON = "no_json"
    DEEP_JSON = "deep_json"
    REDIRECTS = "redirects"
    # Of the documents.
    NO_DISCOVERY = "no_discovery"
    ANOTHER_ISSUER = "another_issuer"
    PAGE_ELSEWHERE = "page_elsewhere"
    NO_KEYS = "no_keys"
