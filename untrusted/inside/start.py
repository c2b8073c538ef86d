"""The first code of a helper: finds the rest and becomes it.

    python -I -S start.py ORDER

ORDER is JSON, made by `untrusted.walls`. The interpreter is started without site packages, so that
no file beside them decides what is imported.
"""

import json
import sys
from importlib import import_module


def main() -> None:
    order = json.loads(sys.argv[1])
    sys.path[:0] = [order["code"]]
    sys.path += order["sites"]
    import_module("untrusted.inside.serving").serve(order)


if __name__ == "__main__":
    main()
