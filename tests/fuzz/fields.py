"""Every field of every form and query, found from the code, so that a new one is there by itself.

It is found in three ways that must agree: what the source names, what the pages' forms have, and
what the views ask for when they are called.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast
from uuid import UUID

from flask import Flask, Request
from sqlalchemy import Connection
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.routing import Rule
from werkzeug.utils import cached_property

from tests import factories
from tests.fuzz.forms import forms_in
from tests.fuzz.world import ADDRESSES, ROLES, Role, World

Kind = Literal["query", "form", "files"]
Name = tuple[Kind, str]

PROJECT = Path(__file__).parents[2]
# By what the source calls them; the last two are what views hand on under these names.
KINDS: dict[str, tuple[Kind, ...]] = {
    "request.args": ("query",),
    "request.form": ("form",),
    "request.files": ("files",),
    "request.values": ("query", "form"),
    "form": ("form",),
    "query": ("query",),
}
TOKEN = "csrf_token"  # the field's name
PARAMETERS: dict[str, object] = {
    "name": "app.css",
    "channel_name": "pigeon",
    "secret": "x" * 32,
    "kind": "made",
    "topic": "credits",
    "what": "people",
    # Of these there is none.
    "adjustment_id": UUID(int=1),
    "invitation_id": UUID(int=1),
    "rule_id": UUID(int=1),
    "worker_id": UUID(int=1),
}
# Checks in threads of their own do not fit a test's transaction.
LEFT_OUT = {"health.ready", "status.show"}
# What people type where nothing stands yet.
TYPED = {
    "address-password": factories.PASSWORD,
    "deletion-password": factories.PASSWORD,
    "email": ADDRESSES["member"],
    "new-password": "another horse battery",
    "old-password": factories.PASSWORD,
    "password": factories.PASSWORD,
    "reason": "Looked at it.",
    "text": "Hello?",
    "two-factor-password": factories.PASSWORD,
    "timezone": "Europe/Berlin",
    "title": "Birds",
    "words": "Feed the birds",
}


@dataclass
class Place:
    """A page that can be asked for, and what it reads."""

    endpoint: str
    method: str
    path: str
    role: Role
    # What stands in the path, by the names that the rule has for it.
    ids: dict[str, object] = field(default_factory=dict[str, object])
    names: set[Name] = field(default_factory=set[Name])
    # What a browser would send.
    usual: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def key(self) -> tuple[str, str]:
        return self.endpoint, self.method


class _Noted(ImmutableMultiDict[str, Any]):
    """What was sent, which notes what it is asked for."""

    def __init__(self, kind: Kind, sent: MultiDict[str, Any], asked: set[Name]) -> None:
        super().__init__(list(sent.items(multi=True)))
        self._kind: Kind = kind
        self._asked = asked

    def __getitem__(self, name: str) -> Any:
        self._asked.add((self._kind, name))
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._asked.add((self._kind, str(name)))
        return super().__contains__(name)

    def getlist(self, name: str, *more: Any, **named: Any) -> list[Any]:
        self._asked.add((self._kind, name))
        return super().getlist(name, *more, **named)


def _noting(asked: set[Name], usual: type[Request]) -> type[Request]:
    class Noting(usual):
        @cached_property
        def args(self) -> Any:
            return _Noted("query", super().args, asked)

        def _load_form_data(self) -> None:
            super()._load_form_data()
            kinds: tuple[Kind, ...] = ("form", "files")
            for kind in kinds:
                sent = self.__dict__[kind]
                if not isinstance(sent, _Noted):
                    self.__dict__[kind] = _Noted(kind, sent, asked)

    return Noting


def named_in_code() -> set[Name]:
    """Read from the source which names are asked of forms and queries."""
    trees = [ast.parse(path.read_text()) for path in _sources()]
    constants = {name: texts for tree in trees for name, texts in _constants(tree)}
    return {name for tree in trees for name in _asked_in(tree, constants)}


def _sources() -> list[Path]:
    return sorted(path for part in ("webapp", "actions") for path in (PROJECT / part).rglob("*.py"))


def _constants(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            texts = [one.value for one in node.value.elts if isinstance(one, ast.Constant)]
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, [text for text in texts if isinstance(text, str)]


def _asked_in(tree: ast.Module, constants: Mapping[str, list[str]]) -> Iterator[Name]:
    loops = list(_loops(tree))
    for node in ast.walk(tree):
        kinds, wanted = _question(node)
        if wanted is None or not kinds:
            continue
        if isinstance(wanted, ast.Constant):
            texts = [str(wanted.value)]
        else:
            name = ast.unparse(wanted)
            texts = [text for one, over in loops if one == name for text in constants.get(over, [])]
            assert texts, f"which field is it? {ast.unparse(node)}"
        for kind in kinds:
            for text in texts:
                if text != TOKEN:
                    yield kind, text


def _loops(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.For | ast.comprehension):
            yield ast.unparse(node.target), ast.unparse(node.iter)


def _question(node: ast.AST) -> tuple[tuple[Kind, ...], ast.expr | None]:
    """Say of which kinds of values a node asks for what."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        if node.func.attr in ("get", "getlist"):
            return _kinds(node.func.value), node.args[0]
    elif isinstance(node, ast.Subscript):
        return _kinds(node.value), node.slice
    elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In):
        return _kinds(node.comparators[0]), node.left
    return (), None


def _kinds(owner: ast.expr) -> tuple[Kind, ...]:
    said = ast.unparse(owner)
    return KINDS.get(said, ())


@dataclass(frozen=True)
class Visitor:
    """Somebody's login, as every request of theirs carries it."""

    cookie: str
    token: str


class Finder:
    """Calls every page as everybody, and notes what it asks for and which forms it has.

    What the pages do is undone at once: sessions must join the transaction of `connection`.
    """

    def __init__(
        self, app: Flask, visitors: Mapping[Role, Visitor], world: World, connection: Connection
    ) -> None:
        self._app, self._visitors, self._world = app, visitors, world
        self._connection = connection
        self._client = app.test_client(use_cookies=False)
        self._asked: set[Name] = set()
        # By where they lead: what stands in them, the member's own last.
        self._forms: dict[tuple[str, str], dict[str, str]] = {}

    def find(self) -> list[Place]:
        """Return every page for each method, as whoever it asks most of."""
        usual = self._app.request_class
        self._app.request_class = _noting(self._asked, usual)
        try:
            places = list(self._all())
            for place in places:
                self._look(place)
            for place in places:
                self._look_again(place)
        finally:
            self._app.request_class = usual
        return places

    def _all(self) -> Iterator[Place]:
        rules = [rule for rule in self._app.url_map.iter_rules() if rule.endpoint not in LEFT_OUT]
        for rule in sorted(rules, key=lambda rule: str(rule.endpoint)):
            known: dict[str, object] = {**PARAMETERS, **self._world.ids}
            ids = {name: known[name] for name in _arguments(rule)}
            path = self._app.url_map.bind("localhost").build(str(rule.endpoint), ids)
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                yield Place(str(rule.endpoint), method, path, "stranger", ids)

    def _look(self, place: Place) -> None:
        """Call it as everybody, with nothing filled in."""
        for role in ROLES:
            names = self._call(place, role, {})
            # Of equals Ada, whose things they are.
            if len(names) > len(place.names) or (role == "member" and names == place.names):
                place.role = role
            place.names |= names

    def _look_again(self, place: Place) -> None:
        """Call it with all that a form holds: a view goes further then."""
        place.usual = self._forms.get(place.key, {})
        for kind, name in place.names:
            if kind == "form" and not place.usual.get(name):
                place.usual[name] = TYPED.get(name, "")
        place.names |= self._call(place, place.role, place.usual)
        place.names |= self._call(place, place.role, place.usual, {"HX-Request": "true"})

    def _call(
        self,
        place: Place,
        role: Role,
        sent: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
    ) -> set[Name]:
        self._asked.clear()
        visitor = self._visitors[role]
        named = {"Cookie": visitor.cookie, "X-CSRFToken": visitor.token, **(headers or {})}
        where = "query_string" if place.method == "GET" else "data"
        filled: dict[str, Any] = {where: dict(sent)}
        with self._connection.begin_nested() as before:
            answer = self._client.open(place.path, method=place.method, headers=named, **filled)
            if answer.mimetype == "text/html" and answer.status_code == 200:
                self._note_forms(answer.text, role)
            answer.close()
            before.rollback()
        return {name for name in self._asked if name[1] != TOKEN and _fits(name, place.method)}

    def _note_forms(self, html: str, role: Role) -> None:
        for form in forms_in(html):
            matcher = self._app.url_map.bind("localhost")
            endpoint, _ = matcher.match(form.path, method=form.method)
            known = self._forms.setdefault((str(endpoint), form.method), {})
            fields = {name: text for name, text in form.fields.items() if name != TOKEN}
            known.update(fields if role == "member" else {**fields, **known})


def _fits(name: Name, method: str) -> bool:
    # Pages that are drawn after a refusal look at the form when there was none, too.
    return method == "POST" or name[0] == "query"


def _arguments(rule: Rule) -> set[str]:
    return cast(set[str], rule.arguments)  # pyright: ignore[reportUnknownMemberType]
