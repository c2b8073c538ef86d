"""`make bench`: measures a part of the product against its alternatives in one run.

`python -m bench NAME [options]`; each name is a module here with a `main(arguments)`.
"""

import sys
from importlib import import_module

# By name: what it measures.
BENCHES = {
    "audit": "what the hourly audit of a large ledger costs, against a full one",
    "boot": "what a spare costs before anybody needs it",
    "capacity": "how many people in conversation a worker carries, in memory and processor time",
    "channels": "what a messenger's message costs, against the website's form and page",
    "day": "what a typical day costs at each provider, against the prompt and caching of before",
    "first_token": "what a person waits for the first word, hot, spare and cold",
    "growth": "what pages of admins take with ten times as much, by what they took (--admin)",
    "jail": "what a cell costs in a container's jail, against one in namespaces",
    "live": "what live streams cost one web process: memory, lateness, a storm of returns",
    "loaded": "which of OpenClaw's modules a cell loads, and whether the bundles have them",
    "margin": "what is left of a synthetic month's charges, against the setting",
    "meter": "hundreds of answers that stream through one meter, against straight ones",
    "pages": "how many chat pages a second, against a bare Flask hello",
    "queue": "jobs a second and enqueue to start against other queues; what a claim costs",
    "rendering": "an answer as HTML, made by a helper against in the process itself",
    "scaling": "how workers follow demand: waits, worker-hours and dollars of each way to do it",
    "tenfold": "what pages, queries and tasks cost as the house grows tenfold, twice",
    "state": "what it costs to save and to restore a person's files",
}


def main() -> int:
    """Run the named bench; return 1 when it missed a target, 2 when there is none of that name."""
    name, arguments = "first_token", sys.argv[1:]
    if arguments and not arguments[0].startswith("-"):
        name, *arguments = arguments
    if name not in BENCHES:
        print("There are:", *(f"{known:<12} {what}" for known, what in BENCHES.items()), sep="\n")
        return 2
    return import_module(f"bench.{name}").main(arguments)


if __name__ == "__main__":
    sys.exit(main())
