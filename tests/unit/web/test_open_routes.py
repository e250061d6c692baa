"""Who may call without saying who they are: these routes and no other. A new handler without a principal fails here."""

import pytest

from deedbox_server.app.listeners import device_app, people_app
from deedbox_server.web.identity import open_routes
from kit.open_box import Office

pytestmark = pytest.mark.anyio

LOG = {"GET /log/checkpoint", "GET /log/key", "GET /log/tile/{path:path}"}
LINK = {f"{method} /api/v1/links/{{token:str}}" for method in ("GET", "HEAD")}
SIGN_IN = {
    f"POST /api/v1/auth/{name}"
    for name in ("invitation", "login", "passkey", "passkey/options", "register", "reset-password")
}


async def test_people_may_ask_for_health_log_witness_and_pairing_without_a_key(desk_and_box: Office) -> None:
    pairing = {"POST /pair/v1/finish", "POST /pair/v1/renew", "POST /pair/v1/start"}
    witness = {"GET /witness/v1/key", "POST /witness/v1/add-checkpoint"}
    health = {"GET /health/live", "GET /health/ready"}
    page = {"GET /verify", "GET /account", "GET /account/{name:str}"}
    directory = {"GET /api/v1/auth/oidc/start", "GET /api/v1/auth/oidc/callback"}
    described = {"GET /", "GET /docs", "GET /docs/{name:str}", "GET /openapi.json", "GET /openapi-device.json"}
    documents = {"GET /health", "POST /api/register"}  # second addresses, as the source documents name them
    found = open_routes(people_app(desk_and_box.box)) - described - documents
    assert found == LOG | pairing | witness | health | page | directory | SIGN_IN | LINK


async def test_a_device_may_read_the_log_and_for_all_else_its_certificate_is_looked_up(desk_and_box: Office) -> None:
    assert open_routes(device_app(desk_and_box.box)) == LOG
