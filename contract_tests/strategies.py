"""Generators of requests: valid ones from the facts, nearly valid ones by one mutation, and nonsense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hypothesis import strategies as st

from contract_tests.facts import Field, Shape

# Text that a JSON body can carry: no lone surrogates, which UTF-8 can't write.
TEXT: Final = st.text(st.characters(codec="utf-8"), max_size=40)
NAMES: Final = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=30)

JSON: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def phone_numbers() -> st.SearchStrategy[str]:
    """Numbers of people: possible, never a service number, and not fictional ones (555-01xx), which may misbehave."""
    codes = st.sampled_from(["212", "303", "415", "512", "617"])
    return st.builds("+1{}5552{:03d}".format, codes, st.integers(0, 999))


_BY_NAME: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "transferNumber": phone_numbers(),
    "to_number": phone_numbers(),
    "toNumber": phone_numbers(),
    "url": st.sampled_from(["http://127.0.0.1:9/webhook", "http://localhost:9/"]),
    "expiresAt": st.just("2031-05-06T07:08:09Z"),
    "voice": st.sampled_from(["alloy", "nova", "11labs-Brian"]),
}


def value(field: Field) -> st.SearchStrategy[Any]:
    """A value that the facts allow for this field; shapes inside it get their required fields only."""
    spec = field.spec
    if field.many:
        item = Field(field.name, field.kind, many=False, nullable=False, spec=spec.get("items", {"type": field.kind}))
        most = min(spec.get("max_items", 3), 3)
        return st.lists(value(item), min_size=spec.get("min_items", 0), max_size=most, unique_by=str)
    if field.shape is not None:
        return body(field.shape, optional=False)
    if "enum" in spec:
        return st.sampled_from(spec["enum"])
    if "seen" in spec:
        return st.sampled_from(spec["seen"])
    if field.name in _BY_NAME:
        return _BY_NAME[field.name]
    match field.kind:
        case "integer":
            return st.integers(spec.get("min", 0), spec.get("max", 1000))
        case "number":
            return st.floats(spec.get("min", 0), spec.get("max", 1), allow_nan=False)
        case "boolean":
            return st.booleans()
        case "string" if "pattern" in spec:
            return st.from_regex(spec["pattern"].replace(r"\d", "[0-9]"), fullmatch=True).map(str.strip)
        case "string":
            return NAMES
        case _:
            return st.dictionaries(NAMES, NAMES, max_size=2)


def body(
    shape: Shape, *, optional: bool = True, without: frozenset[str] = frozenset()
) -> st.SearchStrategy[dict[str, Any]]:
    """A request body that the facts allow; never null, because the sources disagree on what null means."""
    fields = [f for f in shape.fields.values() if f.name not in without]
    must = {f.name: value(f) for f in fields if f.required}
    may = {f.name: value(f) for f in fields if not f.required} if optional else {}
    return st.fixed_dictionaries(must, optional=may)


def wrong_value(field: Field) -> st.SearchStrategy[Any]:
    """A value that the facts forbid for this field."""
    spec = field.spec
    if field.many:
        return st.sampled_from([{}, "[]", 1, True])
    wrong: list[Any] = []
    match field.json_type:
        case "integer":
            wrong = ["5", 1.5, True, [], {}]
        case "number":
            wrong = ["0.9", [], {}]
        case "boolean":
            wrong = ["maybe", 7, [], {}]
        case "string":
            wrong = [5, True, [], {}]
        case "object":
            wrong = ["{}", 5, []]
    if "min" in spec:
        wrong.append(spec["min"] - 1)
    if "max" in spec:
        wrong.append(spec["max"] + 1)
    if "enum" in spec:
        wrong += ["", "no-such-value", str(spec["enum"][0]).upper() + "?"]
    return st.sampled_from(wrong)


def near_valid(shape: Shape) -> st.SearchStrategy[dict[str, Any]]:
    """A body that is right but for one thing: a required field is gone, or a field has a forbidden value."""

    def spoil(good: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
        gone = [st.just({k: v for k, v in good.items() if k != f.name}) for f in shape.fields.values() if f.required]
        bad = [wrong_value(f).map(lambda v, n=f.name: {**good, n: v}) for f in shape.fields.values() if f.kind != "any"]
        return st.one_of(gone + bad)

    return body(shape).flatmap(spoil)


# -- nonsense ----------------------------------------------------------------------------------------------------

# Text that programs stumble over: empty, blank, control characters, direction marks, very long, not quite a number.
ODD_TEXT: Final = (
    "",
    " ",
    "\n",
    "a\x00b",
    "\u202eabc",
    "\ufeff",
    "e\u0301",
    "😀" * 50,
    "x" * 5000,
    "+1",
    "{{name}}",
    "-0",
)
_ODD_URLS: Final = (
    "http://127.0.0.1:9",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:0/",
    "http://[::1]:9/x",
    "http://[::1",
    "http://user:password@127.0.0.1:9/?q=%zz#f",
    "http://127.1:9/",
    "http://2130706433:9/",
    "http://☃.example/",
    "http://localhost:9/é /",
    "https://example.com/hook",
    "http://",
    "javascript:alert(1)",
)


def odd_value(field: Field) -> st.SearchStrategy[Any]:
    """A value of the right type that few programs expect."""
    odd = st.sampled_from(ODD_TEXT) | TEXT
    if field.name in {"url", "media_url", "media_urls"}:
        odd = st.sampled_from(_ODD_URLS)
    if field.shape is None and field.many:
        return st.lists(odd, max_size=25)
    if field.json_type == "string" and "enum" not in field.spec:
        return odd | st.none() if field.nullable else odd
    return value(field) | st.none() if field.nullable else value(field)


def odd_body(shape: Shape, good: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A `good` body but for one or two fields, which have odd values of the right type.

    What is odd is then what is looked at: the rest is in order, so that nothing else is refused first.
    """
    fields = st.lists(st.sampled_from(sorted(shape.fields)), min_size=1, max_size=2, unique=True)
    return fields.flatmap(
        lambda names: st.fixed_dictionaries({name: odd_value(shape.fields[name]) for name in names})
    ).map(lambda odd: {**good, **odd})


_NASTY: Final = (
    "..",
    ".",
    "%00",
    "%2F",
    "%2f..%2f",
    "%",
    "%zz",
    "%ff%fe",
    "%F0%9F%98%80",
    "null",
    "-1",
    "{agent_id}",
    "a" * 3000,
    "';%20DROP%20TABLE%20agents",
    "<script>",
    "agt_%0d%0aX-Evil:1",
    "+14155552671",
    "%2B14155552671",
    ";a=b",
    "voices",
    "deliveries",
)


def path_segments() -> st.SearchStrategy[str]:
    """Something to put where an id belongs."""
    return st.sampled_from(_NASTY) | st.text(min_size=1, max_size=20).map(_quoted)


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def query_strings(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    """A raw query: known and unknown names, repeated, empty, badly encoded."""
    name = st.sampled_from([*names, "limit", "offset", "nobody", ""]) if names else st.sampled_from(["limit", ""])
    raw = st.sampled_from(
        ["", "-1", "0", "1", "1e9", "99999999999999999999999", "true", "None", "%00", "%ff", "١", "½"]
    )
    pair = st.tuples(name, raw | TEXT.map(_quoted)).map("=".join)
    return st.lists(pair | st.sampled_from(["&", "=", "a", "limit", "%"]), max_size=4).map("&".join)


def headers() -> st.SearchStrategy[dict[str, str]]:
    """Headers a client might get wrong; every value can be sent over HTTP/1.1."""
    visible = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=30)
    kinds = st.sampled_from(
        [
            "application/json",
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/json; charset=latin-1",
            "a",
            ";",
        ]
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "Content-Type": kinds,
            "Accept": visible,
            "Accept-Encoding": st.sampled_from(["identity", "gzip", "br", "*;q=0", "nonsense"]),
            "X-Sub-Account-Id": visible,
            "X-HTTP-Method-Override": st.sampled_from(["DELETE", "GET", ""]),
            "Content-Encoding": st.sampled_from(["gzip", "nonsense"]),
            "If-None-Match": visible,
            "Range": st.sampled_from(["bytes=0-1", "bytes=-", "x"]),
        },
    )
