"""Adds the numbers of the admin pages up in this machine's data (`make rollups`)."""

import sys

from embedded import admin_cli

if __name__ == "__main__":
    sys.exit(admin_cli.run("tasks.cli.rollups", sys.argv[1:]))
