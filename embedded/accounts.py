"""Shows and unfreezes accounts, and makes admins, in this machine's data (`make account`)."""

import sys

from embedded import by_hand

if __name__ == "__main__":
    sys.exit(by_hand.run("tasks.accounts", sys.argv[1:]))
