"""Audits the books of this machine's data (`make audit`), whether the product runs or not."""

import sys

from embedded import admin_cli

if __name__ == "__main__":
    sys.exit(admin_cli.run("tasks.audits"))
