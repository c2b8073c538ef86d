"""Shows and unfreezes accounts, and makes admins, in this machine's data (`make account`)."""

import sys

from embedded import admin_cli

if __name__ == "__main__":
    sys.exit(admin_cli.run("tasks.cli.accounts", sys.argv[1:]))
