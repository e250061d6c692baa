"""The verifier for strangers, as the one page that it is. A stranger had better have it from elsewhere than from the box that he
checks: what the box serves, it could change."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from litestar import Response, get

from deedbox_server.web.operations import open_to_all

_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">')


@get("/verify", media_type="text/html", opt=open_to_all("a page for strangers, that tells nothing of this box"))
async def verify_page() -> Response[str]:
    """The verifier for strangers, as one page."""
    text, headers = _page()
    return Response(text, media_type="text/html", headers=headers)


@cache
def _page() -> tuple[str, dict[str, str]]:
    """The file with the policy that it states itself; as a header that also keeps it out of others' frames."""
    text = files("deedbox_verify").joinpath("page", "verify.html").read_text("utf-8")
    policy = _POLICY.search(text)
    assert policy is not None  # the build writes it
    return text, {
        "content-security-policy": f"{policy[1]}; frame-ancestors 'none'",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
