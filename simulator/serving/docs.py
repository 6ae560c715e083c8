"""A page for people, made from the OpenAPI document: one file, which asks nothing of any other host.

Tables and `<details>` do the work, so it reads without a script; the script adds a filter.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any, Final

from simulator.serving.schema_words import bounds, members, words

Json = Mapping[str, Any]

DEEPEST: Final = 6  # schemas inside schemas; none of ours goes deeper
_HERE: Final = Path(__file__).resolve().parent
_TITLE: Final = "agentphone-simulator"
_SIM: Final = "http://127.0.0.1:8787"  # the script writes the real address instead


class Page:
    """An HTML answer that may use nothing but its own style and script."""

    status_code = 200

    def __init__(self, document: Json) -> None:
        style, script = ((_HERE / f"docs.{kind}").read_text("utf-8") for kind in ("css", "js"))
        self.body = _html(document, style, script).encode()
        policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'"
        self.headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", b"%d" % len(self.body)),
            (b"content-security-policy", f"{policy}; form-action 'none'; frame-ancestors 'none'".encode()),
            (b"referrer-policy", b"no-referrer"),
            (b"x-content-type-options", b"nosniff"),
        ]

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def _hash(source: str) -> str:
    return f"sha256-{b64encode(sha256(source.encode()).digest()).decode()}"


def _html(document: Json, style: str, script: str) -> str:
    writer = _Writer(document)
    by_tag: dict[str, list[tuple[str, str, Json]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag[operation["tags"][0]].append((method.upper(), path, operation))
    about = {tag["name"]: tag.get("description", "") for tag in document["tags"]}
    count = sum(map(len, by_tag.values()))
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_TITLE} API</title><style>{style}</style></head><body>",
            '<a class="skip" href="#content">Skip to the operations</a>',
            f"<header><h1>{_TITLE} <small>{escape(document['info']['version'])}</small></h1>",
            f"<p>{escape(document['info']['description'])} {count} operations, also as ",
            '<a href="/openapi.json">openapi.json</a>. What is marked ',
            '<em class="mark">X-Sub-Account-Id</em> takes this header, to ask on behalf of a sub-account. ',
            "The curl lines expect:</p>",
            f'<pre class="setup"><code>sim=<span id="sim">{_SIM}</span>\n',
            "key='Authorization: Bearer sk_live_simulator'</code></pre></header>",
            '<div class="columns"><nav aria-label="Operations"><label for="filter">Filter</label>',
            '<input id="filter" type="search" placeholder="calls, POST, contact_id …" autocomplete="off">',
            '<p id="found" role="status"></p>',
            *(_menu(tag, rows) for tag, rows in by_tag.items()),
            '</nav><main id="content">',
            *(writer.section(tag, about[tag], rows) for tag, rows in by_tag.items()),
            f"</main></div><script>{script}</script></body></html>",
        ]
    )


def _menu(tag: str, rows: Iterable[tuple[str, str, Json]]) -> str:
    items = "".join(
        f'<li data-for="{o["operationId"]}"><a href="#{o["operationId"]}">{_badge(method)}'
        f"<span>{_breakable(path)}</span></a></li>"
        for method, path, o in rows
    )
    return f'<section><h2><a href="#tag-{escape(tag)}">{escape(tag)}</a></h2><ul>{items}</ul></section>'


def _badge(method: str) -> str:
    return f'<b class="method {method.lower()}">{method}</b>'


def _breakable(path: str) -> str:
    """A path that may be broken before each of its slashes."""
    return escape(path).replace("/", "<wbr>/")


class _Writer:
    """Writes operations; knows the schemas that they refer to."""

    def __init__(self, document: Json) -> None:
        self._schemas: Json = document["components"]["schemas"]

    def section(self, tag: str, about: str, rows: Iterable[tuple[str, str, Json]]) -> str:
        """A tag with its operations."""
        articles = "".join(self._article(method, path, operation) for method, path, operation in rows)
        note = f"<p>{escape(about)}</p>" if about else ""
        return f'<section class="tag" id="tag-{escape(tag)}"><h2>{escape(tag)}</h2>{note}{articles}</section>'

    def _article(self, method: str, path: str, operation: Json) -> str:
        name = operation["operationId"]
        public = operation.get("security") == []
        found_by = " ".join((method, path, name, operation["summary"])).lower()
        return "".join(
            [
                f'<article id="{name}" data-words="{escape(found_by)}">',
                f'<h3>{_badge(method)}<a href="#{name}">{_breakable(path)}</a></h3>',
                f"<p>{escape(operation['summary'])} <code>{name}</code>",
                _marks(operation, public=public),
                f'</p><pre class="curl"><code>{escape(_curl(method, path, operation, public=public))}</code></pre>',
                self._parameters(operation.get("parameters", ())),
                self._body(operation.get("requestBody")),
                *self._answers(operation["responses"]),
                "</article>",
            ]
        )

    def _parameters(self, parameters: Iterable[Json]) -> str:
        rows = [self._row(p["name"], p["schema"], p, note=p["in"]) for p in parameters if p["in"] != "header"]
        return _table("Parameters", rows)

    def _body(self, body: Json | None) -> str:
        if body is None:
            return ""
        schema = body["content"]["application/json"]["schema"]
        note = "required" if body["required"] else "may be left out"
        return f"<h4>Body <small>JSON, {note}</small></h4>{self._fields(schema) or _nothing()}"

    def _answers(self, responses: Json) -> Iterator[str]:
        """The successes with their fields, the refusals in one line, and what can follow."""
        refusals = {status: answer for status, answer in responses.items() if status >= "4"}
        successes = {status: answer for status, answer in responses.items() if status < "4"}
        first = next(iter(successes.values()))
        title = " or ".join(f"{status} {escape(answer['description'])}" for status, answer in successes.items())
        yield f"<details><summary>{title}{self._media(first)}</summary>{self._answer(first)}</details>"
        if refusals:
            listed = (f"<span>{status} {escape(answer['description'])}</span>" for status, answer in refusals.items())
            yield f'<p class="refusals">Refusals: {" · ".join(listed)}</p>'
        if "links" in first:
            links = " · ".join(f'<a href="#{name}">{name}</a>' for name in first["links"])
            yield f'<p class="links">What it made can go into {links}</p>'

    def _media(self, answer: Json) -> str:
        for kind, content in answer.get("content", {}).items():
            return f" <small>{escape(words(content['schema']) if kind == 'application/json' else kind)}</small>"
        return " <small>no body</small>"

    def _answer(self, answer: Json) -> str:
        content = answer.get("content", {}).get("application/json")
        return (self._fields(content["schema"], sent=False) if content else "") or _nothing()

    def _fields(self, schema: Json, depth: int = 0, *, sent: bool = True) -> str:
        """The tables of every object that the schema may be; empty when it has no fields."""
        shown = []
        for model in members(schema, self._schemas):
            needed = model.get("required", ())
            rows = [
                self._row(name, field, {"required": sent and name in needed}, depth=depth, sent=sent)
                for name, field in model["properties"].items()
            ]
            about = escape(model.get("description", "").replace("`", ""))
            shown.append((f'<p class="about">{about}</p>' if about else "") + _table("", rows))
        return "".join(shown)

    def _row(self, name: str, field: Json, about: Json, *, note: str = "", depth: int = 0, sent: bool = True) -> str:
        """A field and what is told of it; what is inside it follows in a row of its own. Answers have every field."""
        told = " ".join(part for part in (about.get("description"), field.get("description")) if part)
        inner = self._fields(field, depth + 1, sent=sent) if depth < DEEPEST else ""
        nested = f"<details><summary>fields of <code>{escape(name)}</code></summary>{inner}</details>" if inner else ""
        marks = [note] if note else []
        marks += ["required"] if about.get("required") else []
        return (
            f'<tr><th scope="row"><code>{escape(name)}</code>'
            + "".join(f" <small>{escape(mark)}</small>" for mark in marks)
            + f"</th><td>{escape(words(field))}{_limits(field)}</td><td>{escape(told)}</td></tr>"
            + (f'<tr class="inner"><td colspan="3">{nested}</td></tr>' if nested else "")
        )


def _marks(operation: Json, *, public: bool) -> str:
    """Who asks: anybody, or an account, perhaps for one of its sub-accounts."""
    scoped = any(p["in"] == "header" for p in operation.get("parameters", ()))
    said = ["no key needed"] * public + ["X-Sub-Account-Id"] * scoped
    return "".join(f' <em class="mark">{mark}</em>' for mark in said)


def _limits(field: Json) -> str:
    limits = bounds(field)
    return f"<small>{escape(limits)}</small>" if limits else ""


def _table(title: str, rows: list[str]) -> str:
    if not rows:
        return ""
    head = f"<h4>{title}</h4>" if title else ""
    return f'{head}<div class="wide"><table><tbody>{"".join(rows)}</tbody></table></div>'


def _nothing() -> str:
    return '<p class="about">No fields.</p>'


def _curl(method: str, path: str, operation: Json, *, public: bool) -> str:
    """A line for a shell in which `$sim` and `$key` are set, and every path parameter too."""
    verb = "" if method == "GET" else f" -X {method}"
    key = "" if public else ' -H "$key"'
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    sent = "" if body is None else f" -d '{json.dumps(body)}'"
    query = "&".join(
        f"{p['name']}=" for p in operation.get("parameters", ()) if p["in"] == "query" and p.get("required")
    )
    url = path.replace("{", "$").replace("}", "") + (f"?{query}" if query else "")
    return f'curl{verb}{key} "$sim{url}"{sent}'
