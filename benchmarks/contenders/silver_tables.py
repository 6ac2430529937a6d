"""Inputs of the silver tables that are made in more than one way."""

EVENTS = "spark_events_bronze"
CONTEXTS = "spark_applications_silver"
