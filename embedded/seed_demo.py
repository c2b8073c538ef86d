"""Fills this machine's data with a made-up year (`make seed-demo`)."""

import sys

from embedded import admin_cli

if __name__ == "__main__":
    sys.exit(admin_cli.run("tasks.cli.seed_demo", sys.argv[1:]))
