"""Adds the numbers of the admin pages up, by hand.

make rollups                    # what is new
make rollups ARGS="--rebuild"   # all of it, from the first account on
"""

import argparse
import sys
from collections.abc import Sequence

from models import database
from models.database import unit_of_work
from models.ops import rollups
from settings import get_settings
from tasks import upkeep


def main(arguments: Sequence[str]) -> int:
    """Add up what is new, or all anew; return 0."""
    parser = argparse.ArgumentParser(prog="make rollups")
    parser.add_argument("--rebuild", action="store_true", help="add all up anew")
    asked = parser.parse_args(arguments)
    database.connect(get_settings().database_url.get_secret_value(), pool_size=1)
    if asked.rebuild:
        with unit_of_work() as db:
            rollups.forget(db)
    upkeep.roll_up()
    upkeep.gather_events()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
