"""One example for each schema, from the names of its members: a small matter that all examples are about."""

from __future__ import annotations

from typing import Any, Final

_REF: Final = "#/components/schemas/"
_DEPTH: Final = 24
_ID: Final = "0198c0de-0000-7000-8000-000000000001"
_TIME: Final = "2026-03-01T12:00:00.000000Z"
_DIGEST: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

_BY_FORMAT: Final[dict[str, Any]] = {
    "uuid": _ID,
    "date-time": _TIME,
    "date": "2026-03-01",
    "uri": "https://witness.example",
    "byte": "AA==",
}
_BY_PATTERN: Final[dict[str, Any]] = {"^[0-9a-f]{64}$": _DIGEST}
_BY_NAME: Final[dict[str, Any]] = {
    "account": _ID,
    "address": "192.0.2.7",
    "answer": True,
    "case": _ID,
    "certainty": "exact",
    "client": "Ödegård Ltd.",
    "code": "7-crossover-clockwork",
    "content": _DIGEST,
    "court": "Circuit Court of Cook County",
    "created": _TIME,
    "detail": "Meeting at the gate",
    "docket": "2026-L-001234",
    "email": "olivia@firm.example",
    "expires": "2027-03-01T12:00:00Z",
    "filename": "deed.pdf",
    "id": _ID,
    "jurisdiction": "US-IL",
    "kind": "civil",
    "key": _DIGEST,
    "limit": 100,
    "media_type": "application/pdf",
    "name": "Olivia Owner",
    "namespace": f"fallback/{_ID}",
    "number": "2026-0001",
    "password": "correct horse battery staple",
    "platform": "Debian 13",
    "purpose": "Disclosure to opposing counsel",
    "reason": "Asked for by the client",
    "role": "attorney",
    "size": 48_213,
    "state": "open",
    "status": "live",
    "time": _TIME,
    "title": "Ödegård v. Müller",
    "url": "https://witness.example",
    "version": 1,
    "vkey": "witness.example+1a2b3c4d+AQ==",
    "zone": "America/Chicago",
}


def example_of(schema: dict[str, Any], components: dict[str, Any], name: str = "", depth: int = 0) -> Any:
    """A value that the schema takes."""
    if depth > _DEPTH:
        return None
    if (reference := schema.get("$ref")) is not None:
        return example_of(components[reference.removeprefix(_REF)], components, name, depth + 1)
    for word in ("anyOf", "oneOf"):
        if choices := schema.get(word):
            wanted = next((one for one in choices if one.get("type") != "null"), choices[0])
            return example_of(wanted, components, name, depth)
    for word in ("const", "default"):
        if schema.get(word) is not None:
            return schema[word]
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("enum"):
        return schema["enum"][0]
    return _by_type(schema, components, name, depth)


def _by_type(schema: dict[str, Any], components: dict[str, Any], name: str, depth: int) -> Any:
    match schema.get("type"):
        case "object":
            members = schema.get("properties", {})
            return {member: example_of(kind, components, member, depth + 1) for member, kind in members.items()}
        case "array":
            items = schema.get("items")
            return (
                [example_of(items, components, name.removesuffix("s"), depth + 1)]
                if isinstance(items, dict) and items
                else []
            )
        case "string":
            return _text(schema, name)
        case "integer" | "number":
            found = _BY_NAME.get(name)
            low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + ("exclusiveMinimum" in schema))
            return found if isinstance(found, int) and found is not True and found >= low else max(low, 1)
        case "boolean":
            return True
        case "null":
            return None
    return {}


def _text(schema: dict[str, Any], name: str) -> str:
    found = _BY_PATTERN.get(schema.get("pattern", "")) or _BY_FORMAT.get(schema.get("format", "")) or _BY_NAME.get(name)
    text = found if isinstance(found, str) else name.replace("_", " ") or "text"
    least = schema.get("minLength", 0)
    return (text * (1 + least // len(text)))[: schema.get("maxLength")] if text else text
