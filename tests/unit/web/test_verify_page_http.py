"""The box hands out the verifier page, and says to the browser that it may do nothing else."""

from litestar import Litestar
from litestar.testing import AsyncTestClient

from deedbox_checkout.verify_page import PAGE
from deedbox_server.web.verify_page import verify_page


async def test_the_page_is_the_committed_file_under_its_own_policy() -> None:
    async with AsyncTestClient(Litestar([verify_page])) as client:
        answer = await client.get("/verify")
    assert answer.content == PAGE.read_bytes()
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert policy.endswith("frame-ancestors 'none'")
