"""The documentation's module table, row for row, for the modules that exist so far.

Ids, names, tables and dependencies as documented; what the system needs beyond them is a comment.
"""

DOCUMENTED = {
    1001: ("Bronze_Jobs_Snapshot", "jobs_snapshot_bronze", ()),
    1002: ("Bronze_Clusters_Snapshot", "clusters_snapshot_bronze", ()),
    1003: ("Bronze_Pools_Snapshot", "pools_snapshot_bronze", ()),
    1004: ("Bronze_AuditLogs", "audit_log_bronze", ()),
    1005: ("Bronze_ClusterEventLogs", "cluster_events_bronze", (1004,)),
    1006: ("Bronze_SparkEventLogs", "spark_events_bronze", (1004,)),
    1007: ("Bronze_Libraries_Snapshot", "libs_snapshot_bronze", ()),
    1008: ("Bronze_Policies_Snapshot", "policies_snapshot_bronze", ()),
    1009: ("Bronze_Instance_Profile_Snapshot", "instance_profiles_snapshot_bronze", ()),
    1010: ("Bronze_Token_Snapshot", "tokens_snapshot_bronze", ()),
    1011: ("Bronze_Global_Init_Scripts_Snapshot", "global_inits_snapshot_bronze", ()),
    1012: ("Bronze_Job_Runs_Snapshot", "job_runs_snapshot_bronze", ()),
    2003: ("Silver_SPARK_Executors", "spark_executors_silver", (1006,)),
    2005: ("Silver_SPARK_Executions", "spark_executions_silver", (1006,)),
    2006: ("Silver_SPARK_Jobs", "spark_jobs_silver", (1006,)),
    2007: ("Silver_SPARK_Stages", "spark_stages_silver", (1006,)),
    2008: ("Silver_SPARK_Tasks", "spark_tasks_silver", (1006,)),
    2009: ("Silver_PoolsSpec", "pools_silver", (1004, 1003)),
    2010: ("Silver_JobsStatus", "job_status_silver", (1004,)),
    2011: ("Silver_JobsRuns", "jobrun_silver", (1004, 2010, 2014)),
    2014: ("Silver_ClusterSpec", "cluster_spec_silver", (1004,)),
    # The documentation calls the table accountlogin; Overwatch stores it under this name.
    2016: ("Silver_AccountLogins", "account_login_silver", (1004,)),
    2017: ("Silver_ModifiedAccounts", "account_mods_silver", (1004,)),
    2018: ("Silver_Notebooks", "notebook_silver", (1004,)),
    2019: ("Silver_ClusterStateDetail", "cluster_state_detail_silver", (1005,)),
    # The documentation says 1004, which only came before it: the API was asked.
    2020: ("Silver_SQLQueryHistory", "sql_query_history_silver", ()),
    3001: ("Gold_Cluster", "cluster_gold", (2014,)),
    3002: ("Gold_Job", "job_gold", (2010,)),
    3003: ("Gold_JobRun", "jobrun_gold", (2011,)),
    3004: ("Gold_Notebook", "notebook_gold", (2018,)),
    # The documentation says 1005 for 2019, which is made of it.
    3005: ("Gold_ClusterStateFact", "clusterstatefact_gold", (2019, 2014)),
    3007: ("Gold_AccountMod", "account_mods_gold", (2017,)),
    3008: ("Gold_AccountLogin", "account_login_gold", (2016,)),
    3009: ("Gold_Pools", "instancepool_gold", (2009,)),
    3010: ("Gold_SparkJob", "sparkjob_gold", (2006,)),
    3011: ("Gold_SparkStage", "sparkstage_gold", (2007,)),
    3012: ("Gold_SparkTask", "sparktask_gold", (2008,)),
    3013: ("Gold_SparkExecution", "sparkexecution_gold", (2005,)),
    3014: ("Gold_SparkExecutor", "sparkexecutor_gold", (2003,)),
    # The documentation says 3001, too; what a cluster was stands in its states.
    3015: (
        "Gold_jobRunCostPotentialFact",
        "jobruncostpotentialfact_gold",
        (3003, 3005, 3010, 3012),
    ),
    3016: ("Gold_SparkStream", "sparkstream_gold", (1006, 2005)),
    3017: ("Gold_Sql_QueryHistory", "sql_query_history_gold", (2020,)),
}

BEYOND = {
    # SQL warehouses, which came with Overwatch's last releases.
    2021: ("Silver_WarehouseSpec", "warehouse_spec_silver", (1004, 1013)),
    2022: (
        "Silver_WarehouseStateDetail",
        "warehouse_state_detail_silver",
        (1015, 2011, 2021, 1013),
    ),
    3020: ("Gold_WarehouseStateFact", "warehousestatefact_gold", (2022, 2021)),
    3018: ("Gold_Warehouse", "warehouse_gold", (2021,)),
    # What warehouses are like, for the silver tables of Overwatch's last release.
    1013: ("Bronze_Warehouses_Snapshot", "warehouses_snapshot_bronze", ()),
    # What the API answers about SQL queries, which Overwatch asked for in silver.
    1014: ("Bronze_SQLQueryHistory", "sql_query_history_bronze", ()),
    # What the system table tells of warehouses, which Overwatch asked for in silver.
    1015: ("Bronze_WarehouseEvents", "warehouse_events_bronze", ()),
    # Overwatch's dead id: when a Spark application ended, and with it what it left open.
    2004: ("Silver_SPARK_Applications", "spark_applications_silver", (1006,)),
    # What the documentation calls Gold_VerboseAuditTarget, with the id of another module. It is
    # said to read 3004; what notebooks were called stands in 2018.
    3019: ("Gold_NotebookCommands", "notebookcommands_gold", (1004, 3005, 2018)),
}

BEYOND_DEPENDENCIES = {
    # What the API told of queries is stored first.
    2020: (1014,),
    # Clusters that no audit event tells of, and what pools are made of.
    2014: (2009, 1002),
    # The audit log names clusters that the API no longer lists.
    1002: (1004,),
    # Captures show clusters that leave no audit event.
    1005: (1002,),
    # Captures show clusters alive, and where they log, that the audit log no longer tells of.
    1006: (1002,),
    # Captures show jobs that are older than the audit log, and what it does not tell.
    2010: (1001,),
    # Runs, commands and captures are signs of life; which clusters are jobs', which are deleted.
    2019: (2011, 1004, 2014, 1002),
    # What ends with its application reads when the application ended.
    2003: (2004,),
    2005: (2004,),
    2006: (2004,),
    2007: (2004,),
    2008: (2004,),
}
