"""server/ROLES.md: who may do what, as people read it. `python -m conformance.roles_page` (in tests/) writes it from the rules.

A test holds the page against the rules, so that nobody's rights change without somebody reading it in the change.
"""

from __future__ import annotations

from pathlib import Path

from deedbox_server.people.permissions import OUTSIDER, Permissions, Rule
from deedbox_server.people.rules import standard_permissions

PAGE = Path(__file__).resolve().parents[2] / "server" / "ROLES.md"

_HEAD = """# Who may do what

Written by `python -m conformance.roles_page` (in `tests/`) from [rules.py](deedbox_server/people/rules.py); denied unless it
says so here.

An account has one role in the firm, and in each case the role that it was given there. **In a case** only the latter counts:
who is not on the case, or is barred from it by an ethical wall, gets the answer that there is no such case. Administrators and
auditors see every case that they are not barred from. An outsider sees the case's card, and of events, artifacts and the timeline
what was shared.

● allowed · **2** with a second factor shown in the last 15 minutes · **n** only from the networks in `sensitive_networks` ·
**d** a paired desk too, without a person. The scope is what an API key must have been given.
"""


def render(permissions: Permissions) -> str:
    rules = permissions.rules
    standing = [role.name for role in permissions.roles if role.standing]
    in_case = [role.name for role in permissions.roles if role.name != OUTSIDER]
    parts = [
        _HEAD,
        "## In the box as a whole\n",
        _table(standing, {name: rule for name, rule in rules.items() if not rule.in_case}),
        "\n## In a case\n",
        _table(in_case, {name: rule for name, rule in rules.items() if rule.in_case}),
    ]
    return "\n".join(parts) + "\n"


def _table(roles: list[str], rules: dict[str, Rule]) -> str:
    lines = [
        f"| operation | scope | | {' | '.join(roles)} |",
        f"|---|---|---|{'---|' * len(roles)}",
    ]
    for name, rule in sorted(rules.items()):
        flags = "".join(("2" * rule.strong, "n" * rule.sensitive, "d" * rule.devices))
        cells = " | ".join("●" if role in rule.roles else "" for role in roles)
        lines.append(f"| `{name}` | `{rule.scope}` | {flags} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(render(standard_permissions()), "utf-8")
