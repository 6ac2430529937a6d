from typing import Any

import pytest
from databricks.sdk.errors import InvalidParameterValue, NotFound, ResourceDoesNotExist
from databricks.sdk.service.compute import ListClustersFilterBy, State
from databricks.sdk.service.sql import QueryFilter, QueryStatus, TimeRange

from overwatch_assets.demo.emulator.server import Emulator
from overwatch_assets_tests.demo.emulator.literal import NOW_MS, ORG, OTHER, Json, LiteralWorkspace
from overwatch_assets_tests.demo.emulator.sdk import ask, client

HOUR_MS = 3_600_000


def clusters(number: int) -> list[Json]:
    return [{"cluster_id": f"c-{n}", "state": "RUNNING", "start_time": n} for n in range(number)]


def job(job_id: int, tasks: int = 1) -> Json:
    named = [{"task_key": f"t-{n}"} for n in range(tasks)]
    return {"job_id": job_id, "created_time": job_id, "settings": {"name": "load", "tasks": named}}


def run(run_id: int, tasks: int = 1, state: str = "TERMINATED") -> Json:
    named = [{"task_key": f"t-{n}", "run_id": n} for n in range(tasks)]
    told = {"life_cycle_state": state}
    return {"run_id": run_id, "job_id": 7, "start_time": run_id, "state": told, "tasks": named}


def query(query_id: str, started_ms: int, **fields: Any) -> Json:
    return {"query_id": query_id, "query_start_time_ms": started_ms, "status": "FINISHED"} | fields


def asked(emulator: Emulator, path: str, **parameters: Any) -> Any:
    return ask(client(emulator), "GET", path, query=parameters)


def test_clusters_come_page_by_page_each_once(emulator: Emulator, here: LiteralWorkspace) -> None:
    here.clusters_given = clusters(45)
    found = [each.cluster_id for each in client(emulator).clusters.list()]
    assert found == [f"c-{n}" for n in range(45)]
    assert len(emulator.journal.requests("GET /api/2.1/clusters/list")) == 3


def test_a_page_has_at_most_a_hundred_clusters(emulator: Emulator, here: LiteralWorkspace) -> None:
    here.clusters_given = clusters(120)
    first = asked(emulator, "/api/2.1/clusters/list", page_size=500)
    assert len(first["clusters"]) == 100
    token = first["next_page_token"]
    last = asked(emulator, "/api/2.1/clusters/list", page_size=500, page_token=token)
    assert (len(last["clusters"]), last["next_page_token"]) == (20, "")
    before = last["prev_page_token"]
    again = asked(emulator, "/api/2.1/clusters/list", page_size=500, page_token=before)
    assert again["clusters"] == first["clusters"]


def test_clusters_are_filtered_by_state(emulator: Emulator, here: LiteralWorkspace) -> None:
    here.clusters_given = [*clusters(2), {"cluster_id": "gone", "state": "TERMINATED"}]
    wanted = ListClustersFilterBy(cluster_states=[State.TERMINATED, State.ERROR])
    found = client(emulator).clusters.list(filter_by=wanted)
    assert [each.cluster_id for each in found] == ["gone"]


def test_all_pages_show_the_list_as_it_was_at_the_first(
    emulator: Emulator, here: LiteralWorkspace
) -> None:
    late = {"cluster_id": "late", "start_time": NOW_MS + 1}
    here.clusters_given = [late, *clusters(3)]
    pages = client(emulator).clusters.list(page_size=2)
    found = [next(pages).cluster_id]
    emulator.clock.now_ms = NOW_MS + 1
    assert [*found, *(each.cluster_id for each in pages)] == ["c-0", "c-1", "c-2"]
    assert len(list(client(emulator).clusters.list())) == 4


def test_a_page_asked_for_again_is_the_same_page(
    emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.clusters_given = clusters(5)
    path = "/api/2.1/clusters/list"
    token = asked(emulator, path, page_size=2)["next_page_token"]
    pages = [asked(emulator, path, page_size=2, page_token=token) for _ in range(2)]
    assert pages[0]["clusters"] == pages[1]["clusters"] == here.clusters_given[2:4]


@pytest.mark.parametrize("token", ["none", "e30=", "ÿ"])
def test_a_token_that_is_none_is_refused(emulator: Emulator, token: str) -> None:
    with pytest.raises(InvalidParameterValue, match="Invalid page token"):
        asked(emulator, "/api/2.1/clusters/list", page_token=token)


def test_a_token_belongs_to_one_list_of_one_workspace(
    emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.clusters_given, here.jobs_given = clusters(2), [job(1), job(2)]
    token = asked(emulator, "/api/2.2/jobs/list", limit=1)["next_page_token"]
    with pytest.raises(InvalidParameterValue, match="another list"):
        asked(emulator, "/api/2.1/clusters/list", page_token=token)
    with pytest.raises(InvalidParameterValue, match="another list"):
        ask(client(emulator, OTHER), "GET", "/api/2.2/jobs/list", query={"page_token": token})
    with pytest.raises(InvalidParameterValue, match="name: must be as"):
        asked(emulator, "/api/2.2/jobs/list", page_token=token, name="other")


def test_a_cluster_that_does_not_exist_is_missing(
    emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.clusters_given = clusters(1)
    assert client(emulator).clusters.get("c-0").state is State.RUNNING
    with pytest.raises(ResourceDoesNotExist, match="Cluster gone does not exist"):
        client(emulator).clusters.get("gone")


def test_jobs_come_newest_first_with_every_task(emulator: Emulator, here: LiteralWorkspace) -> None:
    here.jobs_given = [job(1), job(2, tasks=250), job(3)]
    found = list(client(emulator).jobs.list(expand_tasks=True, limit=2))
    counts = [(each.job_id, len(each.settings.tasks or [])) for each in found if each.settings]
    assert counts == [(3, 1), (2, 250), (1, 1)]
    assert len(emulator.journal.requests("GET /api/2.2/jobs/get")) == 3


def test_tasks_are_told_only_where_they_are_asked_for(
    emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.jobs_given = [job(1)]
    [found] = asked(emulator, "/api/2.2/jobs/list")["jobs"]
    assert found["settings"] == {"name": "load"}


def test_version_2_1_leaves_more_than_a_hundred_tasks_out(
    emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.jobs_given = [job(1, tasks=101), job(2, tasks=100)]
    answer = asked(emulator, "/api/2.1/jobs/list", expand_tasks="true", limit=1)
    assert (answer["has_more"], len(answer["jobs"][0]["settings"]["tasks"])) == (True, 100)
    token = answer["next_page_token"]
    answer = asked(emulator, "/api/2.1/jobs/list", expand_tasks="true", limit=1, page_token=token)
    assert answer["has_more"] is False
    assert "next_page_token" not in answer
    assert answer["jobs"][0]["settings"] == {"name": "load"}
    assert "tasks" not in asked(emulator, "/api/2.1/jobs/get", job_id=1)["settings"]


def test_version_2_2_says_of_a_job_and_not_of_the_list_that_there_is_more(
    emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.jobs_given = [job(1, tasks=101), job(2)]
    answer = asked(emulator, "/api/2.2/jobs/list", expand_tasks="true")
    assert "has_more" not in answer
    assert [each.get("has_more") for each in answer["jobs"]] == [None, True]


def test_a_job_that_does_not_exist_is_missing(emulator: Emulator) -> None:
    with pytest.raises(ResourceDoesNotExist, match="Job 5 does not exist"):
        client(emulator).jobs.get(5)
    with pytest.raises(ResourceDoesNotExist, match="Run 6 does not exist"):
        client(emulator).jobs.get_run(6)


def test_runs_come_latest_first_within_a_time(emulator: Emulator, here: LiteralWorkspace) -> None:
    here.runs_given = [run(n) for n in range(1, 60)]
    found = client(emulator).jobs.list_runs(limit=25, start_time_from=2, start_time_to=58)
    assert [each.run_id for each in found] == list(range(58, 1, -1))


def test_runs_are_filtered_by_whether_they_are_over(
    emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.runs_given = [run(1), run(2, state="RUNNING")]
    jobs = client(emulator).jobs
    assert [each.run_id for each in jobs.list_runs(active_only=True)] == [2]
    assert [each.run_id for each in jobs.list_runs(completed_only=True)] == [1]
    assert [each.run_id for each in jobs.list_runs(job_id=8)] == []


def test_a_run_of_many_tasks_is_completed_by_asking_for_it(
    emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.runs_given = [run(1, tasks=230)]
    [found] = client(emulator).jobs.list_runs(expand_tasks=True)
    assert len({each.task_key for each in found.tasks or []}) == 230


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/api/2.2/jobs/runs/list", {"limit": 26}),
        ("/api/2.2/jobs/list", {"limit": 101}),
        ("/api/2.2/jobs/list", {"offset": 1001}),
        ("/api/2.2/jobs/list", {"limit": "many"}),
        ("/api/2.2/jobs/list", {"expand_tasks": "perhaps"}),
        ("/api/2.2/jobs/runs/list", {"active_only": "true", "completed_only": "true"}),
        ("/api/2.0/sql/history/queries", {"max_results": 1001}),
        ("/api/2.1/clusters/get", {}),
        ("/api/2.1/clusters/list", {"pagesize": 3}),
    ],
)
def test_what_can_not_be_asked_is_refused(
    emulator: Emulator, here: LiteralWorkspace, path: str, parameters: Json
) -> None:
    here.runs_given = [run(1)]
    with pytest.raises(InvalidParameterValue):
        asked(emulator, path, **parameters)


def test_lists_of_one_page(emulator: Emulator, here: LiteralWorkspace) -> None:
    here.lists_given = {
        "pools": [{"instance_pool_id": "p"}],
        "policies": [{"policy_id": "q"}],
        "libraries": [{"cluster_id": "c"}],
        "profiles": [{"instance_profile_arn": "arn"}],
        "tokens": [{"token_id": "t"}],
        "scripts": [{"script_id": "s"}],
        "node_types": [
            {
                "node_type_id": "i3.xlarge",
                "memory_mb": 1,
                "num_cores": 4.0,
                "description": "i3.xlarge",
                "instance_type_id": "i3.xlarge",
                "category": "Storage Optimized",
            }
        ],
        "mounts": [{"mount_point": f"/mnt/{n}", "source": "s3a://logs"} for n in range(60)],
    }
    sdk = client(emulator)
    assert [each.instance_pool_id for each in sdk.instance_pools.list()] == ["p"]
    assert [each.policy_id for each in sdk.cluster_policies.list()] == ["q"]
    assert [each.cluster_id for each in sdk.libraries.all_cluster_statuses()] == ["c"]
    assert [each.instance_profile_arn for each in sdk.instance_profiles.list()] == ["arn"]
    assert [each.token_id for each in sdk.tokens.list()] == ["t"]
    assert [each.script_id for each in sdk.global_init_scripts.list()] == ["s"]
    node_types = sdk.clusters.list_node_types().node_types or []
    assert [each.node_type_id for each in node_types] == ["i3.xlarge"]
    assert len(asked(emulator, "/api/2.0/dbfs/search-mounts")["mounts"]) == 50


def test_empty_lists_lack_their_key(emulator: Emulator) -> None:
    assert asked(emulator, "/api/2.0/instance-pools/list") == {}
    assert asked(emulator, "/api/2.1/jobs/list") == {"has_more": False}
    assert list(client(emulator).instance_pools.list()) == []


def test_secrets_are_told_to_who_knows_their_name(
    emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.secrets_given = {("vault", "key"): "schlüssel"}
    sdk = client(emulator)
    assert [each.name for each in sdk.secrets.list_scopes()] == ["vault"]
    assert [each.key for each in sdk.secrets.list_secrets("vault")] == ["key"]
    assert sdk.dbutils.secrets.get("vault", "key") == "schlüssel"
    with pytest.raises(ResourceDoesNotExist):
        sdk.secrets.get_secret("vault", "other")
    with pytest.raises(ResourceDoesNotExist):
        list(sdk.secrets.list_secrets("cellar"))


def test_warehouses_come_page_by_page(emulator: Emulator, here: LiteralWorkspace) -> None:
    here.lists_given = {"warehouses": [{"id": f"w-{n}"} for n in range(4)]}
    assert len(list(client(emulator).warehouses.list(page_size=2))) == 5
    assert client(emulator).warehouses.get("w-3").id == "w-3"
    with pytest.raises(ResourceDoesNotExist):
        client(emulator).warehouses.get("w-9")


def test_the_history_tells_the_latest_queries_first(
    emulator: Emulator, here: LiteralWorkspace
) -> None:
    here.queries_given = [query(f"q-{n}", NOW_MS - n * HOUR_MS, metrics={"x": 1}) for n in range(5)]
    api = client(emulator).query_history
    found: list[str | None] = []
    page = api.list(max_results=2)
    while page.res:
        found += [each.query_id for each in page.res]
        if not page.has_next_page:
            break
        page = api.list(max_results=2, page_token=page.next_page_token)
    assert found == [f"q-{n}" for n in range(5)]


def test_the_history_is_filtered(emulator: Emulator, here: LiteralWorkspace) -> None:
    here.queries_given = [
        query("early", NOW_MS - 3 * HOUR_MS, warehouse_id="w"),
        query("asked for", NOW_MS - 2 * HOUR_MS, warehouse_id="w"),
        query("elsewhere", NOW_MS - 2 * HOUR_MS, warehouse_id="v"),
        query("failed", NOW_MS - 2 * HOUR_MS, warehouse_id="w", status="FAILED"),
        query("late", NOW_MS - HOUR_MS, warehouse_id="w"),
    ]
    times = TimeRange(start_time_ms=NOW_MS - 2 * HOUR_MS, end_time_ms=NOW_MS - 2 * HOUR_MS)
    wanted = QueryFilter(
        query_start_time_range=times, warehouse_ids=["w", "u"], statuses=[QueryStatus.FINISHED]
    )
    found = client(emulator).query_history.list(filter_by=wanted)
    assert [each.query_id for each in found.res or []] == ["asked for"]
    one = client(emulator).query_history.list(filter_by=QueryFilter(statement_ids=["late"]))
    assert [each.query_id for each in one.res or []] == ["late"]


def test_metrics_are_told_to_who_asks_for_them(emulator: Emulator, here: LiteralWorkspace) -> None:
    here.queries_given = [query("q", NOW_MS, metrics={"total_time_ms": 5})]
    path = "/api/2.0/sql/history/queries"
    assert "metrics" not in asked(emulator, path)["res"][0]
    [told] = asked(emulator, path, include_metrics="true")["res"]
    assert told["metrics"] == {"total_time_ms": 5}


def test_the_history_spans_at_most_thirty_days(emulator: Emulator) -> None:
    times = TimeRange(start_time_ms=NOW_MS - 31 * 24 * HOUR_MS, end_time_ms=NOW_MS)
    with pytest.raises(InvalidParameterValue, match="30 days"):
        client(emulator).query_history.list(filter_by=QueryFilter(query_start_time_range=times))


def test_an_endpoint_that_is_not_there_is_not_found(emulator: Emulator) -> None:
    with pytest.raises(NotFound, match="No API found for 'GET /api/"):
        asked(emulator, "/api/2.0/nowhere")
    with pytest.raises(NotFound, match="POST"):
        ask(client(emulator), "POST", "/api/2.1/clusters/get", body={})


def test_each_workspace_answers_for_itself(
    emulator: Emulator, here: LiteralWorkspace, there: LiteralWorkspace
) -> None:
    here.clusters_given, there.clusters_given = clusters(1), clusters(2)
    assert [len(list(client(emulator, org).clusters.list())) for org in (ORG, OTHER)] == [1, 2]
    assert client(emulator, OTHER).get_workspace_id() == int(OTHER)
