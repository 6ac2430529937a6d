import pytest

from overwatch_assets.demo.cluster_life import ClusterLife, Version, reason
from overwatch_assets.demo.cluster_spec import ClusterSpec, api_attributes, audit_params
from overwatch_assets.demo.company import Person
from overwatch_assets.demo.job_definitions import changed
from overwatch_assets.demo.world import World
from overwatch_assets_tests.demo.compute_reading import named

OWNER = Person("owner@tidewater.example", 1, "203.0.113.1")


def life(workers: tuple[int, int] = (2, 5)) -> ClusterLife:
    spec = ClusterSpec("c", OWNER, "UI", "i3.xlarge", *workers)
    made = ClusterLife("c-1", "eu-central-1", [Version(0, spec)])
    made.creating(10, "1", OWNER.email)
    made.running(20, 2)
    return made


def test_an_event_that_would_hide_a_resize_is_an_error() -> None:
    resized = life()
    resized.resizing(30, 4, "AUTOSCALE")
    with pytest.raises(ValueError, match="DBFS_DOWN would hide the resize under way"):
        resized.notice(40, "DBFS_DOWN", {})


def test_events_are_told_in_the_order_of_time() -> None:
    with pytest.raises(ValueError, match="TERMINATING is not after RUNNING"):
        life().terminating(20, 21, reason("USER_REQUEST"))


def test_a_lost_event_leaves_the_state_it_began() -> None:
    lost = life()
    lost.terminating(50, 60, reason("INACTIVITY"), is_lost=True)
    assert [event.type for event in lost.events] == ["CREATING", "RUNNING"]
    assert (lost.last.state, lost.last.is_running, lost.last.is_told) == (
        "TERMINATING",
        False,
        False,
    )


def test_the_state_before_an_instant_is_the_last_that_began_by_then() -> None:
    at = [life().phase_at(ms) for ms in (9, 10, 19, 20)]
    assert [each and each.state for each in at] == [None, "CREATING", "CREATING", "RUNNING"]


def test_an_update_merges_lists_by_key_and_removes_fields() -> None:
    before: dict[str, object] = {
        "tasks": [{"task_key": "a", "n": 1}, {"task_key": "b"}],
        "schedule": {},
        "x": 1,
    }
    new = {"tasks": [{"task_key": "a", "n": 2}, {"task_key": "c"}], "y": 2}
    assert changed(before, new, ["schedule"]) == {
        "tasks": [{"task_key": "a", "n": 2}, {"task_key": "b"}, {"task_key": "c"}],
        "x": 1,
        "y": 2,
    }


def test_audit_log_and_api_tell_the_same_configuration(world: World) -> None:
    workspace = named(world, "tidewater-prod").workspace
    for each in named(world, "tidewater-prod").compute.lives():
        told, known = audit_params(each.spec, workspace), api_attributes(each.spec, "c-1", "")
        both = {*told, *known} & told.keys() & known.keys() - {"aws_attributes"}
        assert {key: told[key] for key in both} == {key: known[key] for key in both}
        assert ("node_type_id" in told) == (each.spec.pool_id is None)
