import polars as pl
import pytest

from overwatch_assets.expressions import cluster_definitions as definitions

PROFILE = "spark.databricks.cluster.profile"


def value(expression: pl.Expr, **columns: object) -> object:
    return (
        pl.DataFrame([columns], schema=dict.fromkeys(columns, pl.String)).select(expression).item()
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("job-10-run-501", True),
        ("job-10-run-501-main", True),
        ("my-job-1-run-2", False),
        ("job-10", False),
        (None, None),
    ],
)
def test_jobs_clusters_are_known_by_their_names(name: str | None, expected: bool | None) -> None:  # noqa: FBT001 - a table of cases
    assert value(definitions.is_automated(pl.col("name")), name=name) is expected


@pytest.mark.parametrize(
    ("conf", "tags", "expected"),
    [
        (f'{{"{PROFILE}":"singleNode"}}', '{"SqlEndpointId":"w"}', "Single Node"),
        (f'{{"{PROFILE}":"serverless"}}', None, "High-Concurrency"),
        (None, '{"SqlEndpointId":"w"}', "SQL Analytics"),
        ("{}", "{}", "Standard"),
        (None, None, "Standard"),
    ],
)
def test_the_type_of_a_cluster(conf: str | None, tags: str | None, expected: str) -> None:
    kind = definitions.cluster_type(pl.col("conf"), pl.col("tags"))
    assert value(kind, conf=conf, tags=tags) == expected


@pytest.mark.parametrize(
    ("told", "version", "expected"),
    [
        ("PHOTON", "15.4.x-scala2.12", "PHOTON"),
        ("STANDARD", "13.3.x-photon-scala2.12", "STANDARD"),
        (None, "13.3.x-photon-scala2.12", "PHOTON"),
        (None, "13.3.x_photon_scala2.12", "PHOTON"),
        (None, "13.3.x-scala2.12", "STANDARD"),
        (None, None, "UNKNOWN"),
        ("UNKNOWN", "13.3.x-scala2.12", "STANDARD"),
    ],
)
def test_the_engine_is_as_told_else_as_the_runtime_says(
    told: str | None, version: str | None, expected: str
) -> None:
    engine = definitions.runtime_engine(pl.col("told"), pl.col("version"))
    assert value(engine, told=told, version=version) == expected


def test_who_may_do_what() -> None:
    conf = (
        '{"spark.databricks.acl.dfAclsEnabled":"TRUE",'
        '"spark.databricks.repl.allowedLanguages":"python,sql"}'
    )
    maps = {"attributes": pl.Map(pl.String, pl.String)}
    rows = pl.DataFrame(
        [
            {"conf": conf, "user": "ann", "attributes": {"instance_profile_arn": "arn:1"}},
            {"conf": None, "user": None, "attributes": None},
        ],
        schema={"conf": pl.String, "user": pl.String, **maps},
    )
    told, untold = rows.select(
        definitions.security_profile(pl.col("conf"), pl.col("user"), pl.col("attributes"))
    ).to_series()
    assert told == {
        "table_acls_enabled": True,
        "credential_passthrough_enabled": False,
        "isolation_enabled": False,
        "repl_languages_permitted": ["python", "sql"],
        "single_user_profile": {"is_single_user": True, "single_user_name": "ann"},
        "instance_profile_arn": "arn:1",
    }
    assert untold == {
        "table_acls_enabled": False,
        "credential_passthrough_enabled": False,
        "isolation_enabled": False,
        "repl_languages_permitted": ["All"],
        "single_user_profile": {"is_single_user": False, "single_user_name": None},
        "instance_profile_arn": None,
    }


def test_limits_are_numbers_and_need_both() -> None:
    limits = definitions.autoscale_text(pl.col("least"), pl.col("most"))
    assert value(limits, least="2", most="8") == '{"min_workers":2,"max_workers":8}'
    assert value(limits, least="2", most=None) is None
