"""Imports: read records from an uploaded file, line by line. Pure."""
