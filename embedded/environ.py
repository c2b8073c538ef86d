"""What this process was given by whoever started it, read in one place."""

import os


def environ() -> dict[str, str]:
    """Return a copy of the environment, to be passed on to children with additions."""
    return dict(os.environ)  # noqa: TID251  # the embedded stack passes settings on
