"""Evaluate KPI queries: functions of the service, not of a request, for every interface that needs a number or its records."""
