"""Shows and unfreezes accounts of this machine's data (`make account`), running or not."""

import sys

from embedded import by_hand

if __name__ == "__main__":
    sys.exit(by_hand.run("tasks.accounts", sys.argv[1:]))
