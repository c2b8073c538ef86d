"""Builds the images of this tree, which the tests in here then run.

python -m tests.containers [web | worker | standins …]
"""

import sys

from tests.containers import images, tools


def main() -> int:
    """Build those that are named, or all; layers that have not changed are kept."""
    lacking = tools.missing()
    if lacking is not None:
        sys.stderr.write(f"{lacking}\n")
        return 1
    for target in sys.argv[1:] or images.TARGETS:
        images.build(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
