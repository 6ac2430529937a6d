"""The documentation's views, column for column: what users of Overwatch query.

Names and columns as documented; what is shown beyond them is listed by itself. A view whose module
is not registered is waited for.
"""

DOCUMENTED: dict[str, tuple[int | str, str]] = {
    "cluster": (
        3001,
        """
        cluster_id action unixTimeMS timestamp date cluster_name driver_node_type node_type
        num_workers autoscale auto_termination_minutes enable_elastic_disk is_automated
        cluster_type security_profile cluster_log_conf init_scripts custom_tags
        cluster_source aws_attributes azure_attributes gcp_attributes spark_env_vars
        spark_conf acl_path_prefix driver_instance_pool_id instance_pool_id
        driver_instance_pool_name instance_pool_name spark_version runtime_engine
        idempotency_token deleted_by created_by last_edited_by
        """,
    ),
    "job": (
        3002,
        """
        job_id action timestamp date job_name tags existing_cluster_id new_cluster tasks
        job_clusters libraries git_source timeout_seconds max_concurrent_runs max_retries
        retry_on_timeout min_retry_interval_millis schedule task_detail_legacy is_from_dlt
        aclPermissionSet targetUserId session_id request_id user_agent response
        source_ip_address created_by deleted_by last_edited_by created_ts deleted_ts
        last_edited_ts
        """,
    ),
    "jobRun": (
        3003,
        """
        job_id job_name tags run_id job_run_id task_run_id task_key cluster_id cluster_name
        multitask_parent_run_id parent_run_id task_detail task_dependencies task_runtime
        task_execution_runtime job_cluster_key cluster_type job_cluster new_cluster
        task_type terminal_state job_trigger_type schedule libraries manual_override_params
        repair_id repair_details run_name timeout_seconds retry_on_timeout max_retries
        min_retry_interval_millis max_concurrent_runs run_as_user_name workflow_context
        task_detail_legacy submitRun_details created_by last_edited_by request_detail
        time_detail
        """,
    ),
    "notebook": (
        3004,
        """
        notebook_id notebook_name notebook_path cluster_id action unixTimeMS timestamp date
        old_name old_path new_name new_path parent_path user_email request_id response
        """,
    ),
    "accountMod": (
        3007,
        """
        mod_unixTimeMS mod_date action endpoint modified_by user_name user_id group_name
        group_id from_ip_address user_agent request_id response
        """,
    ),
    "accountLogin": (
        3008,
        """
        login_unixTimeMS login_date login_type login_user user_email ssh_login_details
        from_ip_address user_agent request_id response
        """,
    ),
    "instancepool": (
        3009,
        """
        serviceName actionName timestamp date instance_pool_id instance_pool_name
        node_type_id idle_instance_autotermination_minutes min_idle_instances max_capacity
        preloaded_spark_versions aws_attributes azure_attributes gcp_attributes custom_tags
        create_details delete_details request_details
        """,
    ),
    "clusterStateFact": (
        3005,
        """
        cluster_id cluster_name custom_tags state_start_date unixTimeMS_state_start
        unixTimeMS_state_end timestamp_state_start timestamp_state_end state
        driver_node_type_id node_type_id current_num_workers target_num_workers
        uptime_since_restart_S uptime_in_state_S uptime_in_state_H cloud_billable
        databricks_billable isAutomated sku runtime_engine dbu_rate state_dates
        days_in_state worker_potential_core_H driver_dbus worker_dbus total_dbus core_hours
        driverSpecs workerSpecs driver_compute_cost worker_compute_cost driver_dbu_cost
        worker_dbu_cost total_compute_cost total_DBU_cost total_driver_cost
        total_worker_cost total_cost
        """,
    ),
    "jobRunCostPotentialFact": (
        3015,
        """
        job_id job_name run_id job_run_id task_run_id task_key repair_id run_name
        startEpochMS cluster_id cluster_name cluster_type cluster_tags driver_node_type_id
        node_type_id dbu_rate multitask_parent_run_id parent_run_id task_runtime
        task_execution_runtime terminal_state job_trigger_type task_type created_by
        last_edited_by running_days avg_cluster_share avg_overlapping_runs
        max_overlapping_runs run_cluster_states worker_potential_core_H driver_compute_cost
        driver_dbu_cost worker_compute_cost worker_dbu_cost total_driver_cost
        total_worker_cost total_compute_cost total_dbu_cost total_cost total_dbus
        spark_task_runtimeMS spark_task_runtime_H job_run_cluster_util
        """,
    ),
    "sparkJob": (
        3010,
        """
        spark_context_id job_id job_group_id execution_id stage_ids cluster_id notebook_id
        notebook_path db_job_id db_id_in_job db_job_type unixTimeMS timestamp date
        job_runtime job_result event_log_start event_log_end user_email
        """,
    ),
    "sparkStage": (
        3011,
        """
        spark_context_id cluster_id stage_id stage_attempt_id unixTimeMS timestamp date
        stage_runtime stage_info event_log_start event_log_end
        """,
    ),
    "sparkTask": (
        3012,
        """
        spark_context_id cluster_id task_id task_attempt_id stage_id stage_attempt_id
        executor_id host unixTimeMS timestamp date task_runtime task_metrics task_info
        task_type task_end_reason event_log_start event_log_end
        """,
    ),
    "sparkExecution": (
        3013,
        """
        spark_context_id execution_id cluster_id description details unixTimeMS timestamp
        date sql_execution_runtime event_log_start event_log_end
        """,
    ),
    "sparkExecutor": (
        3014,
        """
        spark_context_id executor_id cluster_id executor_info removed_reason
        executor_alivetime unixTimeMS timestamp date event_log_start event_log_end
        """,
    ),
    "sparkStream": (
        3016,
        """
        spark_context_id cluster_id stream_id stream_run_id stream_batch_id stream_timestamp
        date streamSegment stream_name streaming_metrics execution_ids
        """,
    ),
    "sqlQueryHistory": (
        3017,
        """
        warehouse_id query_id user_id executed_as_user_id user_name executed_as_user_name
        query_start_time_ms execution_end_time_ms query_end_time_ms duration query_text
        status statement_type error_message spark_ui_url rows_produced compilation_time_ms
        execution_time_ms result_fetch_time_ms total_time_ms task_total_time_ms
        photon_total_time_ms network_sent_bytes read_bytes read_cache_bytes
        read_remote_bytes write_remote_bytes spill_to_disk_bytes pruned_bytes
        pruned_files_count read_files_count read_partitions_count rows_produced_count
        rows_read_count result_from_cache
        """,
    ),
    "notebookCommands": (
        3019,
        """
        date timestamp notebook_id notebook_path notebook_name command_id command_text
        execution_time_s source_ip_address user_identity estimated_dbu_cost status
        cluster_id cluster_name custom_tags node_type_id node_count response user_agent
        unixTimeMS
        """,
    ),
    "verboseAuditTarget": (
        3019,
        """
        date timestamp notebook_id notebook_path notebook_name command_id command_text
        execution_time_s source_ip_address user_identity estimated_dbu_cost status
        cluster_id cluster_name custom_tags node_type_id node_count response user_agent
        unixTimeMS
        """,
    ),
    "warehouse": (
        3018,
        """
        warehouse_id warehouse_name service_name action_name user_email cluster_size
        min_num_clusters max_num_clusters auto_stop_mins spot_instance_policy enable_photon
        channel enable_serverless_compute warehouse_type warehouse_state size auto_resume
        creator_id tags num_clusters num_active_sessions jdbc_url unixTimeMS date created_by
        """,
    ),
    "warehouseStateFact": (
        3020,
        """
        warehouse_id warehouse_name tags state_start_date unixTimeMS_state_start
        unixTimeMS_state_end timestamp_state_start timestamp_state_end state cluster_size
        current_num_clusters target_num_clusters uptime_since_restart_S uptime_in_state_S
        uptime_in_state_H cloud_billable databricks_billable warehouse_type state_dates
        days_in_state worker_potential_core_H driver_dbus
        """,
    ),
    "pipReport": (
        "pipeline_report",
        """
        module_id module_name primordialDate fromTS untilTS status write_metrics
        Pipeline_SnapTS Overwatch_RunID
        """,
    ),
}
"""View -> id of its module (its table, where no module makes it), and what it shows beside
organization_id and workspace_name."""

WHOLE = ("instanceDetails", "dbuCostDetails", "warehouseDbuDetails")
"""Views that show all of their table."""

ETL_ONLY = {"accountMod", "accountLogin", "pipReport"}
"""Views that stand beside the tables and not among the consumer views."""

BEYOND: dict[str, set[str]] = {
    # The cluster policy.
    "cluster": {"policy_id"},
    # The end of what no event ended, and why.
    "jobRun": {"end_imputed"},
    "sparkJob": {"end_imputed", "end_reason"},
    "sparkStage": {"end_imputed", "end_reason"},
    "sparkTask": {"end_imputed", "end_reason"},
    "sparkExecution": {"end_imputed", "end_reason"},
    "sparkExecutor": {"end_imputed", "end_reason"},
    # The order within a millisecond, what the price was chosen by, why a cost is not known.
    "clusterStateFact": {"seq", "cluster_type", "photon_multiplier", "cost_reason", "end_imputed"},
    "sqlQueryHistory": {"end_imputed", "end_reason"},
    # What no state covers, and why a cost is not known.
    "notebookCommands": {"uncovered_S", "cost_reason"},
    "verboseAuditTarget": {"uncovered_S", "cost_reason"},
    # What it was priced by, what it cost, and why that is not known.
    "warehouseStateFact": {
        "seq",
        "channel",
        "hourly_dbus",
        "worker_count",
        "driver_vCPUs",
        "sku",
        "dbu_rate",
        "total_dbu_cost",
        "cost_reason",
        "end_imputed",
    },
    # Who bears the cost, the shares by time, what no state covers, why a cost is not known.
    "jobRunCostPotentialFact": {
        "submitted_by",
        "weighted_cluster_share",
        "uncovered_S",
        "shared_worker_potential_core_H",
        "cost_reason",
        "end_imputed",
    },
}
"""Columns that the documentation does not know."""
