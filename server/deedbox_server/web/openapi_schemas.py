"""JSON Schema of what handlers take and give, by msgspec from their types, with an example for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

import msgspec
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response

from deedbox_server.web.openapi_examples import example_of
from deedbox_server.web.openapi_problems import PROBLEM_SCHEMA

_REF: Final = "#/components/schemas/"
_NOTHING: Final = (None, NoneType, bytes, str, Any)


@dataclass(frozen=True)
class Content:
    """A body of one media type: JSON of `kind`, or text or bytes, which `description` tells of."""

    media_type: str
    kind: Any = None
    description: str = ""


def answer_type(handler: HTTPRouteHandler) -> Any:
    """What a handler returns, without the response around it; of several, the first that is JSON."""
    annotation = handler.parsed_fn_signature.return_type.annotation
    choices = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    found = [_inside(choice) for choice in choices]
    return next((kind for kind in found if kind not in _NOTHING), None)


def _inside(kind: Any) -> Any:
    if isinstance(origin := get_origin(kind) or kind, type) and issubclass(origin, Response):
        return next(iter(get_args(kind)), None)
    return kind


def body_type(handler: HTTPRouteHandler) -> Any:
    """What a handler takes as its JSON body, or None."""
    data = handler.parsed_fn_signature.parameters.get("data")
    return None if data is None else data.annotation


class Schemas:
    """The schemas of some types, with one component for each of our own."""

    def __init__(self, kinds: Iterable[Any]) -> None:
        self._kinds: list[Any] = []
        self._made: dict[int, Any] = {}
        self.components: dict[str, Any] = {}
        self.add(kinds)

    def add(self, kinds: Iterable[Any]) -> None:
        self._kinds += [kind for kind in kinds if kind not in _NOTHING and not self._knows(kind)]
        made, components = msgspec.json.schema_components(
            self._kinds, schema_hook=_anything, ref_template=_REF + "{name}"
        )
        self._made = dict(enumerate(made))
        self.components = {"Problem": PROBLEM_SCHEMA, **components}

    def json(self, kind: Any) -> dict[str, Any] | None:
        """Schema and example of a JSON body; None where it is none."""
        if kind in _NOTHING:
            return None
        schema = self._made[next(index for index, known in enumerate(self._kinds) if known == kind)]
        return {"schema": schema, "example": example_of(schema, self.components)}

    def contents(self, contents: Sequence[Content]) -> dict[str, Any]:
        return {content.media_type: self._content(content) for content in contents}

    def _content(self, content: Content) -> dict[str, Any]:
        if (found := self.json(content.kind)) is not None:
            return found
        is_text = content.media_type.startswith("text/")
        schema: dict[str, Any] = {"type": "string"} if is_text else {}
        if content.media_type == "application/json":
            schema = {"type": "object"}
        if content.description:
            schema["description"] = content.description
        return {"schema": schema}

    def _knows(self, kind: Any) -> bool:
        return any(known == kind for known in self._kinds)


def _anything(kind: type) -> dict[str, Any]:
    """`object` in a type of ours: whatever JSON."""
    if kind is object:
        return {"description": "Any JSON."}
    raise NotImplementedError(f"{kind} has no schema")
