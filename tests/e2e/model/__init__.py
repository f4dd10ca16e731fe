"""The KPIs a second time, written from their definitions alone: brute force over the records that were accepted, in the order in
which they were accepted. Knows nothing of the services: no bins, no seals, no tables."""
