"""Whole comments written and labelled for training: label, `mixed`, themes and urgency."""
