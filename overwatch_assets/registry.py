"""Every module in id order: the module table as code. A table exists by standing here."""

from overwatch_assets.bronze.audit_log_bronze import audit_log_bronze
from overwatch_assets.bronze.cluster_events_bronze import cluster_events_bronze
from overwatch_assets.bronze.clusters_snapshot_bronze import clusters_snapshot_bronze
from overwatch_assets.bronze.global_inits_snapshot_bronze import global_inits_snapshot_bronze
from overwatch_assets.bronze.instance_profiles_snapshot_bronze import (
    instance_profiles_snapshot_bronze,
)
from overwatch_assets.bronze.job_runs_snapshot_bronze import job_runs_snapshot_bronze
from overwatch_assets.bronze.jobs_snapshot_bronze import jobs_snapshot_bronze
from overwatch_assets.bronze.libs_snapshot_bronze import libs_snapshot_bronze
from overwatch_assets.bronze.policies_snapshot_bronze import policies_snapshot_bronze
from overwatch_assets.bronze.pools_snapshot_bronze import pools_snapshot_bronze
from overwatch_assets.bronze.spark_events_bronze import spark_events_bronze
from overwatch_assets.bronze.sql_query_history_bronze import sql_query_history_bronze
from overwatch_assets.bronze.tokens_snapshot_bronze import tokens_snapshot_bronze
from overwatch_assets.bronze.warehouse_events_bronze import warehouse_events_bronze
from overwatch_assets.bronze.warehouses_snapshot_bronze import warehouses_snapshot_bronze
from overwatch_assets.gold.account_login_gold import account_login_gold
from overwatch_assets.gold.account_mods_gold import account_mods_gold
from overwatch_assets.gold.cluster_gold import cluster_gold
from overwatch_assets.gold.clusterstatefact_gold import clusterstatefact_gold
from overwatch_assets.gold.instancepool_gold import instancepool_gold
from overwatch_assets.gold.job_gold import job_gold
from overwatch_assets.gold.jobrun_gold import jobrun_gold
from overwatch_assets.gold.jobruncostpotentialfact_gold import jobruncostpotentialfact_gold
from overwatch_assets.gold.notebook_gold import notebook_gold
from overwatch_assets.gold.notebookcommands_gold import notebookcommands_gold
from overwatch_assets.gold.sparkexecution_gold import sparkexecution_gold
from overwatch_assets.gold.sparkexecutor_gold import sparkexecutor_gold
from overwatch_assets.gold.sparkjob_gold import sparkjob_gold
from overwatch_assets.gold.sparkstage_gold import sparkstage_gold
from overwatch_assets.gold.sparkstream_gold import sparkstream_gold
from overwatch_assets.gold.sparktask_gold import sparktask_gold
from overwatch_assets.gold.sql_query_history_gold import sql_query_history_gold
from overwatch_assets.gold.warehouse_gold import warehouse_gold
from overwatch_assets.gold.warehousestatefact_gold import warehousestatefact_gold
from overwatch_assets.module import Module, Table
from overwatch_assets.presentation import (
    accountlogin,
    accountmod,
    cluster,
    clusteridlecostdaily,
    clusterpolicysnapshot,
    clustersnapshot,
    clusterstatefact,
    clusterstatefactdaily,
    dbucostdetails,
    failedruncostdaily,
    initscriptsnapshot,
    instancedetails,
    instancepool,
    instancepoolsnapshot,
    instanceprofilesnapshot,
    job,
    jobrun,
    jobruncostdaily,
    jobruncostpotentialfact,
    jobsnapshot,
    librarysnapshot,
    notebook,
    notebookcommands,
    notebookusercostdaily,
    sparkexecution,
    sparkexecutor,
    sparkjob,
    sparkjobowner,
    sparkstage,
    sparkstream,
    sparktask,
    sqlquerycostdaily,
    sqlqueryhistory,
    sqlusercostdaily,
    tagcostdaily,
    tokensnapshot,
    usercostdaily,
    verboseaudittarget,
    warehouse,
    warehousedbudetails,
    warehouseidlecostdaily,
    warehousesnapshot,
    warehousestatefact,
    warehousestatefactdaily,
)
from overwatch_assets.reference.tables import REFERENCE_TABLES
from overwatch_assets.silver.account_login_silver import account_login_silver
from overwatch_assets.silver.account_mods_silver import account_mods_silver
from overwatch_assets.silver.cluster_spec_silver import cluster_spec_silver
from overwatch_assets.silver.cluster_state_detail_silver import cluster_state_detail_silver
from overwatch_assets.silver.job_status_silver import job_status_silver
from overwatch_assets.silver.jobrun_silver import jobrun_silver
from overwatch_assets.silver.notebook_silver import notebook_silver
from overwatch_assets.silver.pools_silver import pools_silver
from overwatch_assets.silver.spark_applications_silver import spark_applications_silver
from overwatch_assets.silver.spark_executions_silver import spark_executions_silver
from overwatch_assets.silver.spark_executors_silver import spark_executors_silver
from overwatch_assets.silver.spark_jobs_silver import spark_jobs_silver
from overwatch_assets.silver.spark_stages_silver import spark_stages_silver
from overwatch_assets.silver.spark_tasks_silver import spark_tasks_silver
from overwatch_assets.silver.sql_query_history_silver import sql_query_history_silver
from overwatch_assets.silver.warehouse_spec_silver import warehouse_spec_silver
from overwatch_assets.silver.warehouse_state_detail_silver import warehouse_state_detail_silver
from overwatch_assets.view import DerivedView, View

MODULES: tuple[Module, ...] = (
    jobs_snapshot_bronze,
    clusters_snapshot_bronze,
    pools_snapshot_bronze,
    audit_log_bronze,
    cluster_events_bronze,
    spark_events_bronze,
    libs_snapshot_bronze,
    policies_snapshot_bronze,
    instance_profiles_snapshot_bronze,
    tokens_snapshot_bronze,
    global_inits_snapshot_bronze,
    job_runs_snapshot_bronze,
    warehouses_snapshot_bronze,
    sql_query_history_bronze,
    warehouse_events_bronze,
    spark_executors_silver,
    spark_applications_silver,
    spark_executions_silver,
    spark_jobs_silver,
    spark_stages_silver,
    spark_tasks_silver,
    pools_silver,
    job_status_silver,
    jobrun_silver,
    cluster_spec_silver,
    account_login_silver,
    account_mods_silver,
    notebook_silver,
    cluster_state_detail_silver,
    sql_query_history_silver,
    warehouse_spec_silver,
    warehouse_state_detail_silver,
    cluster_gold,
    job_gold,
    jobrun_gold,
    notebook_gold,
    clusterstatefact_gold,
    account_mods_gold,
    account_login_gold,
    instancepool_gold,
    sparkjob_gold,
    sparkstage_gold,
    sparktask_gold,
    sparkexecution_gold,
    sparkexecutor_gold,
    jobruncostpotentialfact_gold,
    sparkstream_gold,
    sql_query_history_gold,
    warehouse_gold,
    notebookcommands_gold,
    warehousestatefact_gold,
)
"""In id order."""

SIDE_TABLES: tuple[Table, ...] = tuple(
    {table.name: table for module in MODULES for table in module.side_tables}.values()
)

TABLES: tuple[Table, ...] = (
    *(module.table for module in MODULES),
    *SIDE_TABLES,
    *REFERENCE_TABLES,
)
"""Every table that is stored."""

VIEWS: tuple[View, ...] = (
    cluster.VIEW,
    job.VIEW,
    jobrun.VIEW,
    notebook.VIEW,
    clusterstatefact.VIEW,
    clusterstatefactdaily.VIEW,
    accountmod.VIEW,
    accountlogin.VIEW,
    instancepool.VIEW,
    sparkjob.VIEW,
    sparkstage.VIEW,
    sparktask.VIEW,
    sparkexecution.VIEW,
    sparkexecutor.VIEW,
    sparkstream.VIEW,
    jobruncostpotentialfact.VIEW,
    sqlqueryhistory.VIEW,
    warehouse.VIEW,
    notebookcommands.VIEW,
    verboseaudittarget.VIEW,
    warehousestatefact.VIEW,
    warehousestatefactdaily.VIEW,
    instancedetails.VIEW,
    dbucostdetails.VIEW,
    warehousedbudetails.VIEW,
    clustersnapshot.VIEW,
    jobsnapshot.VIEW,
    instancepoolsnapshot.VIEW,
    clusterpolicysnapshot.VIEW,
    librarysnapshot.VIEW,
    instanceprofilesnapshot.VIEW,
    tokensnapshot.VIEW,
    initscriptsnapshot.VIEW,
    warehousesnapshot.VIEW,
)

DERIVED_VIEWS: tuple[DerivedView, ...] = (
    jobruncostdaily.VIEW,
    clusteridlecostdaily.VIEW,
    usercostdaily.VIEW,
    tagcostdaily.VIEW,
    failedruncostdaily.VIEW,
    notebookusercostdaily.VIEW,
    sparkjobowner.VIEW,
    sqlquerycostdaily.VIEW,
    warehouseidlecostdaily.VIEW,
    sqlusercostdaily.VIEW,
)
"""Views that are computed from several rows."""


def in_load_order(modules: tuple[Module, ...] = MODULES) -> tuple[Module, ...]:
    """Modules so that each comes after those it reads; else in id order."""
    names = {module.table.name for module in modules}
    ordered: dict[str, Module] = {}
    waiting = list(modules)
    while waiting:
        ready = next(
            module for module in waiting if {*module.dependencies} & names <= ordered.keys()
        )
        ordered[ready.table.name] = ready
        waiting.remove(ready)
    return tuple(ordered.values())
