from datetime import date

import polars as pl

from overwatch_assets.module import Window
from overwatch_assets.silver.account_login_silver import account_login_silver
from overwatch_assets_tests.frames import Row, ms, utc
from overwatch_assets_tests.laws.cluster_world import audit_event, audit_rows

MONDAY = "2024-05-06"
WINDOW = Window(since=utc(MONDAY), until=utc("2024-05-07"))


def event(
    what: str,
    user: str | None = "maria@acme",
    params: Row | None = None,
    status: int = 200,
    **more: object,
) -> Row:
    said = {"user": user} if params is None else params
    return {
        **audit_event(ms(f"{MONDAY} 08:00"), what, said, status=status, user=user),
        **more,
    }


def logins(*events: Row) -> pl.DataFrame:
    rows = audit_rows([dict(each) for each in events]).lazy()
    of_day = rows.with_columns(partition_date=pl.lit(date(2024, 5, 6)))
    return account_login_silver(of_day, window=WINDOW).collect()


def test_every_account_action_with_login_in_its_name_is_a_login() -> None:
    kinds = ("login", "tokenLogin", "samlLogin", "jwtLogin", "aadBrowserLogin", "oidcBrowserLogin")
    rows = logins(*(event(f"accounts.{kind}") for kind in kinds), event("accounts.logout"))
    assert rows["login_type"].to_list() == [*kinds]
    elsewhere = event("unityCatalog.login"), event("ssh.logout"), event("accounts.add")
    assert logins(*elsewhere).is_empty()


def test_a_login_tells_who_came_in_from_where() -> None:
    [row] = logins(
        event("accounts.tokenLogin", sourceIPAddress="10.0.0.1", userAgent="sdk", requestId="r-1")
    ).to_dicts()
    assert row.pop("hashKey") is not None
    assert row == {
        "partition_date": date(2024, 5, 6),
        "timestamp": ms(f"{MONDAY} 08:00"),
        "login_date": date(2024, 5, 6),
        "serviceName": "accounts",
        "login_type": "tokenLogin",
        "login_user": "maria@acme",
        "user_email": "maria@acme",
        "ssh_login_details": None,
        "sourceIPAddress": "10.0.0.1",
        "userAgent": "sdk",
        "requestId": "r-1",
        "response": {"errorMessage": None, "result": None, "statusCode": 200},
    }


def test_failed_logins_are_rows_also_of_nobody_that_is_known() -> None:
    unknown = event("accounts.samlLogin", user=None, params={"user": "x@else"}, status=401)
    unanswered = event("accounts.login", response=None)
    rows = logins(unknown, unanswered)
    assert rows.select("login_user", "user_email").rows() == [
        ("x@else", None),
        ("maria@acme", "maria@acme"),
    ]
    assert rows["response"].struct.field("statusCode").to_list() == [401, None]
    assert rows["response"][1] is None


def test_databricks_own_administrator_is_no_user() -> None:
    assert logins(event("accounts.login", user="dbadmin")).is_empty()


def test_a_shell_tells_where_it_was_opened() -> None:
    params = {
        "instanceId": "i-1", "port": 2200, "publicKey": "SHA256:x", "containerId": "c-1",
        "userName": "collector", "user": "ubuntu",
    }  # fmt: skip
    [row] = logins(event("ssh.login", user=None, params=params, sessionId="s-1")).to_dicts()
    assert (row["login_type"], row["login_user"], row["serviceName"]) == ("ssh", "ubuntu", "ssh")
    assert row["ssh_login_details"] == {
        "instance_id": "i-1",
        "login_port": "2200",
        "session_id": "s-1",
        "login_public_key": "SHA256:x",
        "container_id": "c-1",
        "container_user_name": "collector",
    }


def test_shells_of_one_millisecond_are_as_many_rows_each_with_its_own_details() -> None:
    first, second = (
        event(
            "ssh.login", user=None, params={"instanceId": instance},
            sourceIPAddress=address, hashKey=number,
        )
        for number, (instance, address) in enumerate([("i-1", "10.0.0.1"), ("i-2", "10.0.0.2")])
    )  # fmt: skip
    rows = logins(first, second)
    found = rows.select("sourceIPAddress", pl.col("ssh_login_details").struct.field("instance_id"))
    assert sorted(found.rows()) == [("10.0.0.1", "i-1"), ("10.0.0.2", "i-2")]
    keys = account_login_silver.table.key_columns
    assert rows.select(keys).is_duplicated().to_list() == [False, False]
