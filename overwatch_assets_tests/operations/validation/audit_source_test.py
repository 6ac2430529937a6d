from datetime import timedelta
from itertools import count

import pytest

from overwatch_assets.demo.emulator.faults import Fault, FaultRule
from overwatch_assets.demo.emulator.server import Emulator
from overwatch_assets.operations.validation.findings import Finding, Verdict
from overwatch_assets_tests.demo.emulator.literal import (
    NOW_MS,
    ORG,
    OTHER,
    WAREHOUSE,
    Json,
    LiteralWorkspace,
)
from overwatch_assets_tests.operations.validation.deployments import (
    FIRST_DAY,
    TODAY,
    Checked,
    api,
    of_rule,
    only,
    workspace,
)

BUCKET, AZURE, TABLE, WAREHOUSES = (
    "Validate_AuditLogPrefix",
    "Validate_DiagnosticLogs",
    "Validate_SystemTablesAudit",
    "Validate_SqlEndpoint_Config",
)
RESOURCE = "SUBSCRIPTIONS/0A1B/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.DATABRICKS/WORKSPACES"
ONE_DAY = timedelta(days=1)
INSTANTS = count(1)


def of_bucket(checked: Checked, path: str | None = None, **more: object) -> Finding:
    entry = workspace(audit_logs={"path": path or str(checked.audit)}, **more)
    return only(checked.check(checked.config(entry)), BUCKET)


def test_days_that_were_not_delivered_are_a_warning_that_lists_them(checked: Checked) -> None:
    checked.deliver(FIRST_DAY, FIRST_DAY + 2 * ONE_DAY)
    found = of_bucket(checked)
    assert found.verdict is Verdict.WARNING
    assert found.came_back == "2 of 4 days are there; missing: 2026-10-05, 2026-10-07"


def test_days_before_the_first_delivery_suggest_a_later_first_day(checked: Checked) -> None:
    checked.deliver(FIRST_DAY + 3 * ONE_DAY)
    found = of_bucket(checked)
    assert found.came_back == "1 of 4 days are there; missing: 2026-10-04 .. 2026-10-06"
    assert "a later `primordial_date`" in found.remedy


@pytest.mark.parametrize("days", [[], [FIRST_DAY - ONE_DAY]])
def test_no_day_at_all_is_an_error(checked: Checked, days: list[object]) -> None:
    checked.deliver(*days)  # pyright: ignore[reportArgumentType]
    found = of_bucket(checked)
    assert found.verdict is Verdict.ERROR
    assert "Set up the delivery of audit logs" in found.remedy


def test_a_delivery_that_began_today_is_no_error(checked: Checked) -> None:
    checked.deliver(TODAY)
    assert of_bucket(checked).verdict is Verdict.WARNING


def test_nothing_is_expected_of_a_workspace_whose_first_day_is_today(checked: Checked) -> None:
    checked.deliver(TODAY)
    assert of_bucket(checked, primordial_date=str(TODAY)).verdict is Verdict.OK


def test_nothing_is_expected_after_the_last_day(checked: Checked) -> None:
    checked.deliver(FIRST_DAY)
    assert of_bucket(checked, retired_on=str(FIRST_DAY)).verdict is Verdict.OK


def test_the_folder_of_another_workspace_fails_and_counts_as_answered(checked: Checked) -> None:
    folder = checked.folder / f"workspaceId={OTHER}"
    (folder / f"date={FIRST_DAY}").mkdir(parents=True)
    entry = workspace(audit_logs={"path": str(folder)})
    report = checked.check(checked.config(entry))
    assert f"holds the audit logs of workspace {OTHER}" in only(report, BUCKET).came_back
    assert report.exit_code == 1


def test_a_folder_above_the_days_fails_with_the_remedy(checked: Checked) -> None:
    checked.deliver(FIRST_DAY)
    found = of_bucket(checked, str(checked.folder))
    assert "which is no date=YYYY-MM-DD" in found.came_back


def azure_day(checked: Checked, name: str, number: int) -> None:
    day = FIRST_DAY + number * ONE_DAY
    folder = checked.audit / "insights-logs-clusters" / "resourceId=" / RESOURCE / name
    (folder / f"y={day.year}" / f"m={day.month:02}" / f"d={day.day:02}").mkdir(parents=True)


def of_azure(checked: Checked, **more: object) -> Finding:
    logs = {"path": str(checked.audit), "layout": "azure", **more}
    entry = workspace(cloud="azure", audit_logs=logs)
    return only(checked.check(checked.config(entry)), AZURE)


def test_diagnostic_records_are_looked_for_by_day(checked: Checked) -> None:
    azure_day(checked, "A", 0)
    azure_day(checked, "A", 2)
    found = of_azure(checked)
    assert found.came_back == "2 of 4 days are there; missing: 2026-10-05, 2026-10-07"


def test_several_resources_need_one_to_be_named(checked: Checked) -> None:
    azure_day(checked, "A", 0)
    azure_day(checked, "B", 1)
    found = of_azure(checked)
    assert found.verdict is Verdict.ERROR
    assert "Configure `resource_id`" in found.came_back
    assert of_azure(checked, resource_id=f"/{RESOURCE}/b").came_back.startswith("1 of 4 days")


def row(number: int, org: str = ORG) -> Json:
    day = FIRST_DAY + number * ONE_DAY
    return {
        "workspace_id": org,
        "event_time": f"{day}T09:14:05.412Z",
        "event_date": str(day),
        "service_name": "clusters",
        "action_name": "edit",
        "response": {"status_code": 200},
    }


def of_table(
    checked: Checked, emulator: Emulator, warehouse: str = WAREHOUSE
) -> tuple[list[Finding], int]:
    emulator.clock.now_ms = NOW_MS + next(INSTANTS)  # The table's rows are those of an instant.
    entry = workspace(
        audit_logs={"sql_warehouse": warehouse}, databricks=api(emulator.address(ORG))
    )
    report = checked.check(checked.config(entry))
    return [*of_rule(report, WAREHOUSES), *of_rule(report, TABLE)], report.exit_code


def test_the_system_table_is_asked_for_the_days_of_the_workspace(
    checked: Checked, emulator: Emulator, here: LiteralWorkspace, there: LiteralWorkspace
) -> None:
    here.rows_given = [row(0), row(0), row(3)]
    there.rows_given = [row(1, OTHER)]
    (exists, found), code = of_table(checked, emulator)
    assert exists.came_back == "bi-wh exists"
    assert found.came_back == "2 of 4 days are there; missing: 2026-10-05 .. 2026-10-06"
    assert code == 0


def test_a_system_table_without_rows_of_the_workspace_names_the_grants(
    checked: Checked, emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.rows_given = []
    (_, found), code = of_table(checked, emulator)
    assert "SELECT on system.access.audit" in found.remedy
    assert (found.verdict, code) == (Verdict.ERROR, 1)


def test_a_warehouse_that_does_not_exist_is_told_before_it_is_asked(
    checked: Checked, emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.rows_given = [row(0)]
    [found], code = of_table(checked, emulator, "no-such-warehouse")
    assert "no-such-warehouse does not exist" in found.came_back
    assert "audit_logs.sql_warehouse" in found.remedy
    assert code == 1
    assert emulator.journal.requests("POST /api/2.0/sql/statements") == []


def test_a_refused_statement_names_the_grants(
    checked: Checked, emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.rows_given = [row(0)]
    emulator.faults.add(FaultRule(Fault.FORBIDDEN, "POST /api/2.0/sql/statements"))
    (_, found), code = of_table(checked, emulator)
    assert "403" in found.came_back
    assert found.remedy.startswith("Grant the identity USE CATALOG on system")
    assert code == 1
