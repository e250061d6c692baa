"""The OpenAPI document is one, says all of every call, and is the same each time it is drawn."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi import definitions

from deedbox_server.app.description import described, description
from deedbox_server.people.rules import standard_permissions
from deedbox_server.web.openapi_bodies import BODIES

PEOPLE, DEVICE = json.loads(described("people")), json.loads(described("device"))
DOCUMENTS = pytest.mark.parametrize("document", [PEOPLE, DEVICE], ids=["people", "device"])


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            yield f"{method.upper()} {path}", told


CALLS = [*operations(PEOPLE), *operations(DEVICE)]
EACH = pytest.mark.parametrize("told", [told for _, told in CALLS], ids=[name for name, _ in CALLS])


@DOCUMENTS
def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    definitions.OPENAPI_31_VALIDATOR.validate(document)
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


@DOCUMENTS
def test_all_references_lead_somewhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    for kind, named in document["components"].items():
        for name in named:
            text = text.replace(f'"#/components/{kind}/{name}"', '""')
    assert '"#/components/' not in text


@DOCUMENTS
def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    ids = [told["operationId"] for _, told in operations(document)]
    assert len(ids) == len(set(ids))


@EACH
def test_each_call_says_what_it_does_and_who_may(told: dict[str, Any]) -> None:
    assert told["summary"], "the first sentence of the handler's docstring"
    assert told["description"]
    about = told.get("x-deedbox-operation")
    if about is None:
        assert told["x-deedbox-open"]
        assert told["security"] == []
        return
    rule = standard_permissions().rules[about["name"]]
    assert (set(about["roles"]), about["scope"]) == (rule.roles, rule.scope)
    assert told["security"]
    assert {"401", "403", "429"} <= told["responses"].keys()


@EACH
def test_each_call_says_what_it_answers(told: dict[str, Any]) -> None:
    done = [status for status in told["responses"] if status < "400"]
    assert done or "501" in told["responses"]
    for status in done:
        for content in told["responses"][status].get("content", {}).values():
            assert content["schema"] != {"type": "object", "additionalProperties": {"description": "Any JSON."}}
    for status in told["responses"].keys() - set(done):
        answer = told["responses"][status]
        assert answer == {"$ref": f"#/components/responses/Problem{status}"} or answer["description"]


@DOCUMENTS
def test_examples_are_what_their_schemas_take(document: dict[str, Any]) -> None:
    wrong = []
    for name, told in operations(document):
        contents = [told.get("requestBody", {}).get("content", {})]
        contents += [answer.get("content", {}) for answer in told["responses"].values()]
        for content in (one for many in contents for one in many.values() if "example" in one):
            schema = {**content["schema"], "components": document["components"]}
            errors = jsonschema_rs.Draft202012Validator(schema).iter_errors(content["example"])
            wrong += [(name, [*error.instance_path], error.message) for error in errors]
    assert wrong == []


def test_each_body_in_the_table_is_of_a_call() -> None:
    assert BODIES.keys() <= {name for name, _ in CALLS}


def test_it_is_drawn_the_same_each_time() -> None:
    again = json.dumps(description("people"), ensure_ascii=False, indent=1).encode() + b"\n"
    assert again == described("people")


def test_the_command_prints_it_without_a_box() -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; from deedbox_server.cli import main; sys.exit(main())",
        "api",
        "schema",
    ]
    assert subprocess.run(command, check=True, capture_output=True).stdout == described("people")
    device = subprocess.run([*command, "--device"], check=True, capture_output=True).stdout
    assert device == described("device")
