"""A statement may carry further digests for legacy lists: each must be right as well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bundle_maker import bundle_of, scenario
from deedbox_sync import dsse, statement
from miniature_log import key


def test_a_wrong_sha512_is_told_though_the_sha256_is_right(judged: Callable[..., Any]) -> None:
    """Nobody but the desk can make such a statement: it signed a digest that its bytes do not have."""
    story = scenario()
    one = story.exhibits[0]
    parsed = statement.parse_payload(one.payload)
    assert isinstance(parsed, statement.CaptureStatement)
    lying = statement.encode_payload(replace(parsed, digests={**parsed.digests, "sha512": bytes(64)}))
    story.exhibits[0] = replace(one, payload=lying, envelope=dsse.sign(lying, key("desk")))
    verdict = judged(bundle_of(story))
    assert ("statement.content", "has another sha512 than the statement says") in [
        (finding.code, finding.what) for finding in verdict.findings
    ]
