"""Nobody's rights change without somebody reading it."""

from conformance.roles_page import PAGE, render
from deedbox_server.people.rules import standard_permissions


def test_the_page_says_what_the_rules_are() -> None:
    assert PAGE.read_text("utf-8") == render(standard_permissions()), "run `python -m conformance.roles_page` in tests/"
