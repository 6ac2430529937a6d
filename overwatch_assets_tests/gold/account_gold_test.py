from datetime import date

import pytest

from overwatch_assets.gold.account_login_gold import account_login_gold
from overwatch_assets.gold.account_mods_gold import account_mods_gold
from overwatch_assets.module import Module, Window
from overwatch_assets_tests.frames import declared, ms, table, utc

WINDOW = Window(since=utc("2024-05-06"), until=utc("2024-05-07"))
AT = ms("2024-05-06 23:59:59.999")
DAY = date(2024, 5, 6)
ASKED = {"sourceIPAddress": "10.0.0.1", "userAgent": "sdk", "requestId": "r-1", "hashKey": 5}
ANSWER = {"errorMessage": "no", "result": None, "statusCode": 401}


def test_a_login_is_a_row_under_business_names() -> None:
    shell = dict.fromkeys(
        ("login_port", "session_id", "login_public_key", "container_id", "container_user_name"), "x"
    )
    silver = {
        "timestamp": AT,
        "login_date": DAY,
        "login_type": "ssh",
        "login_user": "ubuntu",
        "user_email": "maria@acme",
        "ssh_login_details": {"instance_id": "i-1", **shell},
        "response": ANSWER,
        "partition_date": DAY,
        **ASKED,
    }
    frame = account_login_gold(table("account_login_silver", silver), window=WINDOW).collect()
    assert frame.to_dicts() == [
        {
            "partition_date": DAY,
            "login_unixTimeMS": AT,
            "login_date": DAY,
            "login_type": "ssh",
            "login_user": "ubuntu",
            "user_email": "maria@acme",
            "ssh_login_details": {"instance_id": "i-1", **shell},
            "from_ip_address": "10.0.0.1",
            "user_agent": "sdk",
            "request_id": "r-1",
            "response": ANSWER,
            "hashKey": 5,
        }
    ]


def test_a_change_of_an_account_is_a_row_under_business_names() -> None:
    told = {
        "endpoint": "scim",
        "modified_by": "ann",
        "user_name": "rui",
        "user_id": "17",
        "group_name": "analysts",
        "group_id": "77",
        "response": ANSWER,
    }
    silver = {
        "timestamp": AT,
        "date": DAY,
        "actionName": "add",
        "partition_date": DAY,
        **told,
        **ASKED,
    }
    frame = account_mods_gold(table("account_mods_silver", silver), window=WINDOW).collect()
    assert frame.to_dicts() == [
        {
            "partition_date": DAY,
            "mod_unixTimeMS": AT,
            "mod_date": DAY,
            "action": "add",
            **told,
            "from_ip_address": "10.0.0.1",
            "user_agent": "sdk",
            "request_id": "r-1",
            "hashKey": 5,
        }
    ]


@pytest.mark.parametrize(
    ("gold", "silver"),
    [(account_login_gold, "account_login_silver"), (account_mods_gold, "account_mods_silver")],
    ids=lambda each: each.table.name if isinstance(each, Module) else each,
)
def test_gold_leaves_out_nothing_but_the_service(gold: Module, silver: str) -> None:
    assert len(gold.table.columns) == len(declared(silver).columns) - 1
