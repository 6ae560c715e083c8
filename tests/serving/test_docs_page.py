from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest

from simulator.app import operations
from simulator.serving.docs import Page
from simulator.serving.openapi import document
from simulator.serving.schema_words import bounds, words
from tests.helpers.api import Api

pytestmark = pytest.mark.anyio
DOCUMENT = document(operations())
VOID = {"meta", "input", "wbr"}


class Reader(HTMLParser):
    """Every tag with its attributes, and whether the tags close in the order in which they opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def values(self, *names: str) -> list[str]:
        return [value for _, attrs in self.tags for name, value in attrs.items() if name in names and value]


@pytest.fixture(scope="module")
def page() -> Reader:
    return Reader(Page(DOCUMENT).body.decode())


async def test_it_is_served_to_people_without_a_key(api: Api) -> None:
    answer = await api.send("GET", "/docs", headers={})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!doctype html>")
    assert (await api.send("POST", "/docs")).status_code == 404


def test_every_tag_is_closed(page: Reader) -> None:
    assert page.open == []


def test_nothing_is_asked_of_another_host(page: Reader) -> None:
    addresses = page.values("src", "href", "action", "srcset", "data", "poster", "background")
    assert {a for a in addresses if not a.startswith("#")} == {"/openapi.json"}
    assert {tag for tag, _ in page.tags} & {"link", "img", "iframe", "object", "embed", "base", "form"} == set()


def test_its_policy_allows_its_own_style_and_script_and_nothing_else() -> None:
    made = Page(DOCUMENT)
    sent = dict(made.headers)[b"content-security-policy"].decode()
    allowed = dict(part.split(" ", 1) for part in sent.split("; "))
    assert allowed["default-src"] == "'none'"
    for tag in ("style", "script"):
        (source,) = re.findall(rf"<{tag}>(.*?)</{tag}>", made.body.decode(), re.DOTALL)
        assert allowed[f"{tag}-src"] == f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"
        assert "url(" not in source and "@import" not in source


def test_every_operation_has_its_article_and_its_line_in_the_menu(page: Reader) -> None:
    ids = {op["operationId"] for methods in DOCUMENT["paths"].values() for op in methods.values()}
    assert {attrs["id"] for tag, attrs in page.tags if tag == "article"} == ids
    assert {attrs["data-for"] for _, attrs in page.tags if "data-for" in attrs} == ids


def test_every_link_within_the_page_leads_somewhere(page: Reader) -> None:
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {a[1:] for a in page.values("href") if a.startswith("#")} <= set(ids)


def test_names_and_words_are_escaped() -> None:
    evil = "</code><script>alert(1)</script>"
    body = {
        "content": {"application/json": {"schema": {"properties": {evil: {"description": evil}}}}},
        "required": True,
    }
    op = {"operationId": "x", "tags": ["t"], "summary": evil, "responses": {"200": {"description": evil}}}
    info = {"version": "1", "description": "d"}
    made = {"info": info, "tags": [{"name": "t"}], "components": {"schemas": {}}}
    text = Page(made | {"paths": {"/x": {"post": op | {"requestBody": body}}}}).body.decode()
    assert evil not in text
    assert text.count("alert(1)") >= 4


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string"}, "string"),
        ({"type": "string", "format": "date-time"}, "date-time"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer or null"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/AgentOut"}}, "list of AgentOut"),
        ({"enum": ["sms", "mms"], "type": "string"}, '"sms" or "mms"'),
        ({"enum": list(range(14))}, "0 or 1 or 2 or 3 or 4 or 5 or 6 or 7 or 8 or 9 or 10 or 11 or 2 more"),
        ({"const": True}, "true"),
        ({}, "anything"),
    ],
)
def test_a_schema_in_words(schema: dict[str, Any], said: str) -> None:
    assert words(schema) == said


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 9}, "not empty, 9 characters at most"),
        ({"anyOf": [{"type": "integer", "minimum": 5}, {"type": "null"}], "default": 7}, "at least 5, default 7"),
        ({"type": "string", "default": None}, ""),
    ],
)
def test_the_limits_of_a_schema(schema: dict[str, Any], said: str) -> None:
    assert bounds(schema) == said
