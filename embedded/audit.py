"""Audits the books of this machine's data (`make audit`), whether the product runs or not."""

import sys

from embedded import by_hand

if __name__ == "__main__":
    sys.exit(by_hand.run("tasks.auditing"))
