"""Verification: everything computed again from what ingest received, and compared with what is stored and served.

Four steps, each named when it fails: events → subjects, subjects + scores → contributions, contributions → sealed histograms, and
contributions → served KPIs. It only reads, and may run beside live traffic: what changes meanwhile is looked at again.
"""
