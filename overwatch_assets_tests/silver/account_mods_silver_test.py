from datetime import date

import polars as pl

from overwatch_assets.module import History
from overwatch_assets.silver.account_mods_silver import account_mods_silver
from overwatch_assets_tests.frames import Row, ms, table
from overwatch_assets_tests.laws.cluster_world import audit_event, audit_rows
from overwatch_assets_tests.silver.version_days import window_of

MONDAY = "2024-05-06"
RUI = "rui@acme"


def changed(at: str, action: str = "updateUser", status: int = 200, **params: object) -> Row:
    told = {"targetUserName": RUI, **params}
    return audit_event(ms(f"{MONDAY} {at}"), f"accounts.{action}", told, status=status, user="ann")


def before(day: str, user_id: str | None, name: str | None = RUI) -> Row:
    return {"timestamp": ms(f"{day} 12:00"), "user_name": name, "user_id": user_id, "hashKey": 1}


def changes(*events: Row, past: tuple[Row, ...] = ()) -> pl.DataFrame:
    audit = audit_rows([dict(each) for each in events]).lazy()
    history = table("account_mods_silver", *past).select(
        "user_name", "user_id", "timestamp", "hashKey"
    )
    made = account_mods_silver(audit, history, window=window_of(MONDAY))
    return made.sort("timestamp", "hashKey").collect()


def ids(*events: Row, past: tuple[Row, ...] = ()) -> list[str | None]:
    return changes(*events, past=past)["user_id"].to_list()


def asked_for(*events: Row) -> list[str]:
    """Users that the day looks for in the days before."""
    read = account_mods_silver.reads["history"]
    assert isinstance(read, History)
    return (
        read.wanted(audit_rows([dict(each) for each in events]).lazy())
        .collect()
        .to_series()
        .sort()
        .to_list()
    )


def test_what_changes_an_account_is_a_row_carried_out_or_not() -> None:
    done = ("add", "addPrincipalToGroup", "removePrincipalFromGroup", "setAdmin", "delete")
    events = [changed(f"08:0{number}", action) for number, action in enumerate(done)]
    refused = changed("08:09", status=403)
    others = changed("09:00", "login"), changed("09:01", "changeDbTokenAcl")
    rows = changes(*events, refused, *others)
    assert rows["actionName"].to_list() == [*done, "updateUser"]
    assert rows["response"].struct.field("statusCode").to_list() == [200] * 5 + [403]


def test_a_row_tells_who_did_what_to_whom() -> None:
    event = changed(
        "08:00", "addPrincipalToGroup",
        endpoint="scim", targetUserId=17, targetGroupName="analysts", targetGroupId=77,
    )  # fmt: skip
    asked = {"requestId": "r-1", "sourceIPAddress": "10.0.0.1", "userAgent": "sdk"}
    [row] = changes({**event, **asked}).to_dicts()
    assert row.pop("hashKey") is not None
    assert row == {
        "date": date(2024, 5, 6),
        "timestamp": ms(f"{MONDAY} 08:00"),
        "serviceName": "accounts",
        "actionName": "addPrincipalToGroup",
        "endpoint": "scim",
        "modified_by": "ann",
        "user_name": RUI,
        "user_id": "17",
        "group_name": "analysts",
        "group_id": "77",
        "sourceIPAddress": "10.0.0.1",
        "userAgent": "sdk",
        "requestId": "r-1",
        "response": {"errorMessage": None, "result": None, "statusCode": 200},
    }


def test_a_request_that_touches_several_groups_is_several_rows() -> None:
    first = {**changed("08:00", targetGroupId=1), "requestId": "r-1"}
    second = {**changed("08:00", targetGroupId=2), "requestId": "r-1"}
    rows = changes(first, second)
    assert sorted(rows["group_id"]) == ["1", "2"]
    assert not rows.select(account_mods_silver.table.key_columns).is_duplicated().any()


def test_an_id_that_is_not_told_is_the_next_one_of_the_name() -> None:
    events = changed("08:00"), changed("09:00", targetUserId=17), changed("10:00", targetUserId=18)
    assert ids(*events) == ["17", "17", "18"]
    assert ids(*events, past=(before("2024-05-05", "9"),)) == ["17", "17", "18"]


def test_an_id_of_the_same_millisecond_is_the_next_one_whatever_the_order() -> None:
    told, lacking = changed("08:00", targetUserId=17), changed("08:00")
    later = changed("09:00", targetUserId=18)
    for number, other in ((0, 1), (1, 0)):
        events = {**told, "hashKey": number}, {**lacking, "hashKey": other}, later
        assert sorted(map(str, ids(*events))) == ["17", "17", "18"]


def test_an_id_that_is_not_told_any_more_is_the_last_one_of_the_name() -> None:
    events = changed("08:00", targetUserId=17), changed("09:00")
    assert ids(*events) == ["17", "17"]
    past = before("2024-05-03", "7"), before("2024-05-05", "8"), before("2024-05-04", "9")
    assert ids(changed("09:00"), past=past) == ["8"]


def test_past_rows_without_an_id_tell_nothing() -> None:
    past = before("2024-05-03", "7"), before("2024-05-05", None)
    assert ids(changed("09:00"), past=past) == ["7"]


def test_ids_are_those_of_the_name_and_nobody_has_none() -> None:
    nobody = changed("08:00", targetUserName=None, targetGroupName="analysts")
    events = nobody, changed("09:00", targetUserName=None, targetUserId=5)
    assert ids(*events) == [None, "5"]
    other = changed("08:00"), changed("09:00", targetUserName="bob@acme", targetUserId=5)
    assert ids(*other) == [None, "5"]


def test_days_before_are_asked_only_for_users_that_the_day_names_without_an_id() -> None:
    numbered = changed("08:00", targetUserName="bob@acme", targetUserId=5)
    nobody = changed("08:30", targetUserName=None)
    login = changed("08:40", "login", targetUserName="cleo@acme")
    assert asked_for(numbered, nobody, login) == []
    assert asked_for(numbered, changed("09:00"), changed("10:00")) == [RUI]
