"""The configuration file: its keys, their types, meaning and examples.

The JSON schema and the table of keys in the documentation come from here.
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from overwatch_assets.configuration.databricks import Databricks
from overwatch_assets.configuration.fields import (
    WORKSPACE_FOLDERS,
    BegunDay,
    Day,
    LocalPath,
    Location,
    Name,
    ScopeName,
    Setting,
    TimeZone,
    WorkspaceId,
)
from overwatch_assets.configuration.problems import refusal
from overwatch_assets.configuration.redaction import RedactionRules
from overwatch_assets.configuration.storage import ALL_CONTAINERS, Storage, Strict
from overwatch_assets.module import Scope

AZURE_RESOURCE = (
    "/subscriptions/0a1b/resourceGroups/rg-data/providers/Microsoft.Databricks/workspaces/adb-prod"
)


READ_CLUSTERS = frozenset({Scope.CLUSTER_EVENTS, Scope.JOBS})
"""Scopes that are of no use without the clusters."""


class AuditLogs(Strict):
    """Where a workspace's audit logs are: delivered as files, or in a system table."""

    path: Location | None = Field(
        default=None,
        description="Folder or URL that directly contains the `date=` folders; of Azure's "
        "diagnostic records a container or folder, `{category}` standing for the part of the "
        "container's name that differs.",
        examples=["s3://acme-audit/workspaceId=1234567890123456"],
    )
    layout: Literal["bucket", "azure"] = Field(
        default="bucket",
        description="Layout of the files: as Databricks delivers them to a bucket, or as Azure's "
        "diagnostic settings archive them.",
        examples=["azure"],
    )
    resource_id: Setting | None = Field(
        default=None,
        description="Azure resource of the workspace, where the path holds the records of several.",
        examples=[AZURE_RESOURCE],
    )
    sql_warehouse: Setting | None = Field(
        default=None,
        description="Id of the SQL warehouse through which `system.access.audit` is read, instead "
        "of files; needs `databricks`.",
        examples=["789aa345bb12cd34"],
    )

    @model_validator(mode="after")
    def _one_route(self) -> Self:
        if (self.path is None) == (self.sql_warehouse is None):
            what = "names no route" if self.path is None else "names two routes"
            raise refusal(what, "Give path for delivered files, or sql_warehouse")
        if self.resource_id is not None and self.layout != "azure":
            raise refusal("has a resource_id", "It goes with `layout: azure`")
        return self


class SparkEventLogs(Strict):
    """Where a workspace's Spark event logs are found."""

    folders: tuple[Location, ...] = Field(
        default=(),
        description="Folders or URLs, `dbfs:/` and `/Volumes/` too, that are searched for event "
        "logs, at any depth.",
        examples=[["/var/spark-events", "s3://acme-logs/spark"]],
    )
    from_clusters: bool = Field(
        default=False,
        description="Also search the log destinations that audit logs and API tell of clusters.",
        examples=[True],
    )
    mounts: dict[str, Location] = Field(
        default_factory=dict[str, str],
        description="Mount points in those destinations, and what they stand for. "
        "The longest that fits is used.",
        examples=[{"/mnt/cluster_logs": "s3://acme-logs/clusters"}],
    )
    mount_mapping: Location | None = Field(
        default=None,
        description="CSV file of further mount points, with the columns `mountPoint`, `source` and "
        "`workspace_id`; needed where the workspace has more than the 50 that its API tells.",
        examples=["s3://acme-config/mounts.csv"],
    )

    @field_validator("mounts", mode="before")
    @classmethod
    def _with_mount_points(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        mounts: dict[str, object] = {}
        for point, source in cast("dict[str, object]", value).items():
            mount_point = point.removeprefix("dbfs:").rstrip("/")
            if not mount_point.startswith("/") or not mount_point.isprintable():
                what = "has a mount point that does not begin with /, or is / itself"
                raise refusal(what, "Write for example /mnt/cluster_logs")
            if mount_point in mounts:
                raise refusal("names a mount point twice", f"Keep one of {mount_point}")
            mounts[mount_point] = source
        return mounts

    @model_validator(mode="after")
    def _finds_something(self) -> Self:
        if not self.folders and not self.from_clusters:
            remedy = "Name `folders`, or write `from_clusters: true`, or leave it out"
            raise refusal("would find no event log", remedy)
        return self


class PriceFiles(Strict):
    """Files with prices of one's own: a CSV file (`.csv`), or the folder of a Delta table."""

    instance_details: Location | None = Field(
        default=None,
        description="Node types: cores, memory, DBUs, prices.",
        examples=["prices/instance_details.csv"],
    )
    dbu_cost_details: Location | None = Field(
        default=None,
        description="Price of a DBU by sku.",
        examples=["prices/dbu_cost_details.csv"],
    )
    warehouse_dbu_details: Location | None = Field(
        default=None,
        description="DBUs of SQL warehouses by size.",
        examples=["s3://acme-lake/global_share/warehousedbudetails"],
    )


class ContractPrice(Strict):
    """A price of a DBU, from a day on."""

    price: float = Field(
        ge=0, le=1_000_000, allow_inf_nan=False, description="USD per DBU.", examples=[0.49]
    )
    valid_from: Day | None = Field(
        default=None,
        description="First day it holds, from 00:00 UTC on. Left out: it always has.",
        examples=["2026-07-01"],
    )


def _contract_prices(value: object) -> object:
    """A single price, or one with its day, as the list of one."""
    if isinstance(value, list):
        return cast("list[object]", value)
    if not isinstance(value, str):
        return [value]
    try:
        price = ContractPrice.model_validate({"price": value})
    except ValidationError:
        what, remedy = "is no price", "Write USD per DBU, with a point before decimals: 0.49"
        raise refusal(what, remedy) from None
    return [price]


def _in_order(prices: tuple[ContractPrice, ...]) -> tuple[ContractPrice, ...]:
    days = [price.valid_from for price in prices]
    if len(set(days)) < len(days):
        what = "has two prices from the same day on"
        raise refusal(what, "Give all but one of them another `valid_from`")
    return tuple(sorted(prices, key=lambda price: price.valid_from or date.min))


class _OneOrMany:
    """A list that may be written as its only item, or as that item's price, in the schema."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        many = handler(core_schema)
        return {"anyOf": [{"type": "number", "minimum": 0}, many["items"], many]}


ContractPrices = Annotated[
    tuple[ContractPrice, ...],
    BeforeValidator(_contract_prices),
    AfterValidator(_in_order),
    _OneOrMany(),
]


class WorkspaceEntry(Strict):
    """One workspace."""

    workspace_id: WorkspaceId = Field(
        description="Organization id: the number after `o=` in the workspace's URL, or any text. "
        "Kept as written; becomes `organization_id`.",
        examples=["1234567890123456"],
    )
    workspace_name: Name = Field(
        description="Name of the workspace, unique; in every row.", examples=["analytics"]
    )
    cloud: Literal["aws", "azure", "gcp"] = Field(
        description="Cloud that the workspace runs in.", examples=["aws"]
    )
    primordial_date: BegunDay = Field(
        description="First day that is loaded. Frozen once something is loaded.",
        examples=["2026-09-21"],
    )
    retired_on: Day | None = Field(
        default=None,
        description="Last day of a workspace that is no more; what was open then is not shown.",
        examples=["2026-10-31"],
    )
    audit_logs: AuditLogs | None = Field(
        default=None,
        description="Where its audit logs are delivered. Left out: none are read.",
        examples=[{"path": "s3://acme-audit/workspaceId=1234567890123456"}],
    )
    spark_event_logs: SparkEventLogs | None = Field(
        default=None,
        description="Where its Spark event logs are. Left out: none are read.",
        examples=[{"folders": ["/var/spark-events"]}],
    )
    databricks: Databricks | None = Field(
        default=None,
        description="Access to its REST API: clusters, cluster events, jobs, pools, warehouses. "
        "Left out: tables made from the API stay empty, DBFS and volumes can't be read.",
        examples=[
            {
                "host": "https://acme.cloud.databricks.com",
                "client_id": "8f0c9d1e-0000-4000-8000-1234567890ab",
                "client_secret": "env:DATABRICKS_CLIENT_SECRET",
            }
        ],
    )
    sql_warehouse: Setting | None = Field(
        default=None,
        description="Id of the SQL warehouse through which the events of SQL warehouses are read, "
        "in `system.compute.warehouse_events`; needs `databricks`. Left out: that of `audit_logs`; "
        "without one it is not known when warehouses ran and what they cost.",
        examples=["789aa345bb12cd34"],
    )
    job_runs_snapshot: bool = Field(
        default=False,
        description="Also ask the API for the job runs of each day, 25 at a time "
        "(`job_runs_snapshot_bronze`); no other table is made from them.",
        examples=[True],
    )
    source_storage: tuple[Storage, ...] = Field(
        default=(),
        description="Access to what is read, by root; the longest root above a path is used. "
        "Left out: as `storage` for the same kind of storage (and Azure account), else the "
        "environment's or the machine's own credentials.",
        examples=[[{"root": "s3://acme-logs", "options": {"region": "eu-central-1"}}]],
    )
    prices: PriceFiles = Field(
        default=PriceFiles(),
        description="Prices of its own, over those of the deployment.",
        examples=[{"instance_details": "prices/prod_instance_details.csv"}],
    )
    interactive_dbu_price: ContractPrices = Field(
        default=(),
        description="USD per DBU of all-purpose clusters, or a list of prices with their first "
        "days; under the price files, over what is shipped.",
        examples=[0.55, [{"price": 0.55}, {"price": 0.49, "valid_from": "2026-07-01"}]],
    )
    automated_dbu_price: ContractPrices = Field(
        default=(), description="The same of job clusters.", examples=[0.15]
    )
    sql_compute_dbu_price: ContractPrices = Field(
        default=(), description="The same of SQL warehouses.", examples=[0.22]
    )
    jobs_light_dbu_price: ContractPrices = Field(
        default=(),
        description="The same of job clusters on the light runtime.",
        examples=[{"price": 0.1, "valid_from": "2026-07-01"}],
    )
    enabled_scopes: tuple[ScopeName, ...] | None = Field(
        default=None,
        description="Scopes that are loaded. Left out: all. clusterEvents and jobs need clusters.",
        examples=[["audit"]],
    )
    excluded_scopes: tuple[ScopeName, ...] = Field(
        default=(), description="Scopes that are not loaded.", examples=[["sparkEvents"]]
    )

    @field_validator("cloud", mode="before")
    @classmethod
    def _in_lower_case(cls, value: object) -> object:
        return value.strip().casefold() if isinstance(value, str) else value

    @field_validator("retired_on")
    @classmethod
    def _after_the_first_day(cls, value: Day | None, info: ValidationInfo) -> Day | None:
        first_day = info.data.get("primordial_date")
        if value and first_day and value < first_day:
            what = f"lies before the first day, {first_day}"
            raise refusal(what, "Write the last day of the workspace")
        return value

    @field_validator("enabled_scopes")
    @classmethod
    def _with_audit(cls, value: tuple[Scope, ...] | None) -> tuple[Scope, ...] | None:
        if value is not None and Scope.AUDIT not in value:
            raise refusal("leaves out audit, which all others read", "Add audit")
        return value

    @field_validator("excluded_scopes")
    @classmethod
    def _without_audit(cls, value: tuple[Scope, ...], info: ValidationInfo) -> tuple[Scope, ...]:
        if Scope.AUDIT in value:
            remedy = "Remove audit from the list; without `audit_logs` it stays empty"
            raise refusal("switches off audit, which all others read", remedy)
        if value and info.data.get("enabled_scopes") is not None:
            raise refusal("stands beside `enabled_scopes`", "Keep one of the two")
        return value

    @model_validator(mode="after")
    def _finds_clusters(self) -> Self:
        logs, can_tell = self.spark_event_logs, self.audit_logs or self.databricks
        if logs and logs.from_clusters and not can_tell:
            what = "has `from_clusters`, but neither audit logs nor an API to find clusters in"
            remedy = "Configure `audit_logs` or `databricks`, or name `folders` instead"
            raise refusal(what, remedy)
        return self

    @model_validator(mode="after")
    def _reaches_what_it_holds(self) -> Self:
        read = [self.audit_logs.path or ""] if self.audit_logs else []
        if logs := self.spark_event_logs:
            read += [*logs.folders, *logs.mounts.values(), logs.mount_mapping or ""]
        held = next((each for each in read if each.startswith(WORKSPACE_FOLDERS)), None)
        if held and self.databricks is None:
            remedy = "Configure `databricks`, or the storage below; a local folder is a file:// URL"
            raise refusal(f"reads {held}, which only the workspace can", remedy)
        return self

    @model_validator(mode="after")
    def _asks_through_an_api(self) -> Self:
        if self.audit_logs and self.audit_logs.sql_warehouse and self.databricks is None:
            what = "reads audit logs through a SQL warehouse, but has no `databricks`"
            raise refusal(what, "Give the address and identity of its API under `databricks`")
        if self.sql_warehouse and self.databricks is None:
            what = "has a `sql_warehouse`, but no `databricks` to reach it"
            raise refusal(what, "Give the address and identity of its API under `databricks`")
        return self

    @model_validator(mode="after")
    def _with_clusters(self) -> Self:
        needing = sorted(self.scopes & READ_CLUSTERS)
        if needing and Scope.CLUSTERS not in self.scopes:
            what = f"loads {' and '.join(needing)} without clusters, in which they look things up"
            remedy = f"Add clusters to the scopes, or leave out {' and '.join(needing)} too"
            raise refusal(what, remedy)
        return self

    @property
    def scopes(self) -> frozenset[Scope]:
        """Scopes that are loaded."""
        enabled = Scope if self.enabled_scopes is None else self.enabled_scopes
        return frozenset(enabled) - frozenset(self.excluded_scopes)


class ConfigFile(Strict):
    """Configuration of overwatch_assets."""

    timezone: TimeZone = Field(
        default="UTC",
        description="IANA time zone whose midnights divide the days. "
        "Frozen once something is loaded.",
        examples=["Europe/Berlin"],
    )
    storage: Storage = Field(
        description="Where the tables are written.", examples=[{"root": "overwatch_tables"}]
    )
    chunk_days: int = Field(
        default=7,
        ge=1,
        le=366,
        description="Days worked on at once; more are faster and take more memory.",
        examples=[7],
    )
    workers: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Processes that read logs. Left out: one per CPU.",
        examples=[4],
    )
    parallel_workspaces: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Workspaces that a command loads at once, each in a process of its own; each "
        "takes its own memory. Left out: one more than there are CPUs, at most four.",
        examples=[2],
    )
    dagster_home: LocalPath = Field(
        default=Path(".dagster_home"),
        validate_default=True,
        description="Dagster's own folder: runs, event log, settings.",
        examples=[".dagster_home"],
    )
    secrets_directory: LocalPath | None = Field(
        default=None,
        description="Folder below which `file:` references may point. Left out: none may.",
        examples=["/run/secrets"],
    )
    prices: PriceFiles = Field(
        default=PriceFiles(),
        description="Prices of one's own for all workspaces, over what is shipped.",
        examples=[{"instance_details": "prices/instance_details.csv"}],
    )
    redaction: RedactionRules = Field(
        default=RedactionRules(),
        description="What becomes of personal and confidential data before it is stored. "
        "Left out: it is stored as it is.",
        examples=[{"emails": "hash", "key": "env:OVERWATCH_REDACTION_KEY"}],
    )
    duckdb_file: LocalPath = Field(
        default=Path("overwatch.duckdb"),
        validate_default=True,
        description="DuckDB file with the consumer views, for BI tools; written anew after each "
        "`overwatch run`.",
        examples=["bi/overwatch.duckdb"],
    )
    shown_workspaces: tuple[Name, ...] | None = Field(
        default=None,
        description="Ids or names of the workspaces whose rows can be queried, in whatever way. "
        "Left out: all.",
        examples=[["analytics"]],
    )
    workspaces: tuple[WorkspaceEntry, ...] = Field(
        description="The workspaces that are observed.",
        examples=[
            [
                {
                    "workspace_id": "1234567890123456",
                    "workspace_name": "analytics",
                    "cloud": "aws",
                    "primordial_date": "2026-09-21",
                }
            ]
        ],
        json_schema_extra={"minItems": 1},
    )

    @field_validator("storage")
    @classmethod
    def _in_a_container(cls, value: Storage) -> Storage:
        if value.root.startswith(ALL_CONTAINERS):
            remedy = "Write abfss://container@account.dfs.core.windows.net/path"
            raise refusal("names no container", remedy)
        return value

    @model_validator(mode="after")
    def _shows_what_is_there(self) -> Self:
        known = {each.workspace_id for each in self.workspaces}
        known |= {each.workspace_name for each in self.workspaces}
        if set(self.shown_workspaces or ()) - known:
            remedy = "Write ids or names of `workspaces`"
            raise refusal("has `shown_workspaces` that are not configured", remedy)
        return self

    @field_validator("workspaces", mode="before")
    @classmethod
    def _not_empty(cls, value: object) -> object:
        if not value:
            raise refusal("lists no workspace", "Add one, for example with `overwatch init`")
        return value
