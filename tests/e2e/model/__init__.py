"""The KPIs a second time, written from their definitions alone: brute force over the accepted records, in order of acceptance.

It shares nothing with the services: no bins, no seals, no tables."""
