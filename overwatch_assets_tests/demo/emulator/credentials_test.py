import pytest
import requests
from databricks.sdk.errors import PermissionDenied, Unauthenticated

from overwatch_assets.demo.emulator.credentials import Credentials
from overwatch_assets.demo.emulator.server import Emulator
from overwatch_assets_tests.demo.emulator.literal import (
    CLIENT_ID,
    CLIENT_SECRET,
    ORG,
    OTHER,
    PAT,
    LiteralWorkspace,
)
from overwatch_assets_tests.demo.emulator.sdk import client, machine

CLUSTERS = "/api/2.1/clusters/list"


def asked(emulator: Emulator, token: str, org: str = ORG) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{emulator.address(org)}{CLUSTERS}", headers=headers, timeout=10)


def token_of(emulator: Emulator, **form: str) -> requests.Response:
    return requests.post(f"{emulator.address(ORG)}/oidc/v1/token", data=form, timeout=10)


def test_a_person_comes_with_a_token_a_service_principal_with_a_secret(
    emulator: Emulator,
) -> None:
    assert client(emulator).current_user.me().user_name == "ines.okafor"
    assert machine(emulator).current_user.me().user_name == CLIENT_ID
    asking = emulator.journal.requests("GET /api/2.0/preview/scim/v2/Me")
    assert [each.principal for each in asking] == ["ines.okafor", CLIENT_ID]


def test_the_sdk_asks_for_one_bearer_token_and_keeps_it(emulator: Emulator) -> None:
    sdk = machine(emulator)
    for _ in range(3):
        list(sdk.clusters.list())
    assert len(emulator.journal.requests("POST /oidc/v1/token")) == 1


def test_a_bearer_token_expires_and_the_sdk_gets_another() -> None:
    elapsed: list[float] = [0.0]
    credentials = Credentials({CLIENT_ID: CLIENT_SECRET}, elapsed_s=lambda: elapsed[0])
    with Emulator([LiteralWorkspace()], credentials) as emulator:
        form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        token = token_of(emulator, grant_type="client_credentials", **form).json()
        assert (token["expires_in"], token["token_type"]) == (3600, "Bearer")
        assert asked(emulator, token["access_token"]).status_code == 200
        elapsed[0] = 3600.0
        refused = asked(emulator, token["access_token"])
    told = {"error_code": 403, "message": "Token is expired"}
    assert (refused.status_code, refused.json()) == (403, told)


def test_a_token_that_lives_for_no_time_is_asked_for_each_time() -> None:
    credentials = Credentials({CLIENT_ID: CLIENT_SECRET}, lifetime_s=0, elapsed_s=lambda: -1.0)
    with Emulator([LiteralWorkspace()], credentials) as emulator:
        sdk = machine(emulator)
        for _ in range(2):
            with pytest.raises(PermissionDenied, match="expired"):
                list(sdk.clusters.list())
        assert len(emulator.journal.requests("POST /oidc/v1/token")) == 2


def test_a_bearer_token_is_good_for_its_workspace_only(emulator: Emulator) -> None:
    form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    token = token_of(emulator, grant_type="client_credentials", **form).json()["access_token"]
    statuses = [asked(emulator, token, org).status_code for org in (ORG, OTHER)]
    assert statuses == [200, 403]


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "client_credentials", "client_id": CLIENT_ID}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "none"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_token_is_given_to_a_client_with_its_secret_only(
    emulator: Emulator, form: dict[str, str], status: int, error: str
) -> None:
    answer = token_of(emulator, **form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_wrong_secret_ends_the_sdks_first_call(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="invalid_client"):
        client(emulator, client_id=CLIENT_ID, client_secret="guessed").current_user.me()  # noqa: S106 - none


def test_an_unknown_token_is_forbidden(emulator: Emulator) -> None:
    with pytest.raises(PermissionDenied, match=r"Invalid access token\."):
        list(client(emulator, token="dapi-unknown").clusters.list())  # noqa: S106 - none


def test_without_credentials_nothing_is_told(emulator: Emulator) -> None:
    for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}):
        address = f"{emulator.address(ORG)}{CLUSTERS}"
        answer = requests.get(address, headers=headers, timeout=10)
        assert (answer.status_code, answer.json()["error_code"]) == (401, 401)
    with pytest.raises(Unauthenticated):
        list(client(emulator, username="x", password="y").clusters.list())  # noqa: S106 - none


def test_the_journal_holds_no_secret(emulator: Emulator) -> None:
    sdk = machine(emulator)
    list(sdk.clusters.list())
    list(client(emulator).clusters.list())
    token = sdk.config.authenticate()["Authorization"].removeprefix("Bearer ")
    journal = repr(emulator.journal.requests())
    assert CLIENT_ID in journal
    assert not [secret for secret in (CLIENT_SECRET, PAT, token) if secret in journal]
    assert CLIENT_SECRET not in repr(Credentials({CLIENT_ID: CLIENT_SECRET}, {PAT: "x"}))
