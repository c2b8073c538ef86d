"""The site's scripts as ES modules: a page names its entry points, and is told all they import.

A module imports another by its plain name (`./dom.js`). The import map on each page turns that into
the versioned address, which may be cached for ever; what a page's modules import is preloaded, so
that nothing waits for a script to be read before it is asked for. A browser without import maps
asks for the plain names, and gets today's files.
"""

import re
from functools import lru_cache
from json import dumps

from flask import Flask
from markupsafe import Markup

from webapp.core import assets

IMPORT = re.compile(r'^(?:import|export)\b[^"\';]*"\./([\w.-]+)";', re.MULTILINE)
PRELOAD = Markup('<link rel="modulepreload" href="{}">')
ENTRY = Markup('<script type="module" src="{}"></script>')


def install(app: Flask) -> None:
    """Give templates `import_map()` and `scripts(name, …)`."""
    app.add_template_global(import_map)
    app.add_template_global(scripts)


@lru_cache(maxsize=1)
def import_map() -> Markup:
    """Return the text of the import map: the versioned address of each module."""
    names = sorted(path.name for path in assets.FOLDER.glob("*.js"))
    addresses = {f"/static/{name}": assets.address(name) for name in names}
    return Markup(dumps({"imports": addresses}, separators=(",", ":")))  # noqa: S704  # our own names


@lru_cache(maxsize=64)
def scripts(*names: str) -> Markup:
    """Return the tags that load these modules, and before them all that they import."""
    imported = {found: None for name in names for found in _imports(name) if found not in names}
    preloads = [PRELOAD.format(assets.address(name)) for name in imported]
    entries = [ENTRY.format(assets.address(name)) for name in names]
    return Markup("\n    ").join(preloads + entries)


def _imports(name: str) -> list[str]:
    """List what a module imports, and what that imports, each once."""
    found: dict[str, None] = {}
    left = [name]
    while left:
        for one in _read_imports(left.pop()):
            if one not in found:
                found[one] = None
                left.append(one)
    return list(found)


def _read_imports(name: str) -> list[str]:
    asset = assets.find(name)
    if asset is None:
        raise FileNotFoundError(name)
    return IMPORT.findall(asset.body.decode())
