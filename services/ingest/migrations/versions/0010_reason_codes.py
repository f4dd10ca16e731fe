"""Codes of the reasons why deliveries are in quarantine, and an index by which quarantine is filtered and counted.

Stored deliveries get the code that their reason text tells. Those that a replica of the previous version stores meanwhile have
none; they are listed as `unclassified` until they are retried.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

VERDICTS = "accepted, quarantined, ignored, held, pending, erased"

CLASSIFY = r"""
UPDATE inbox SET reason_code = CASE
    WHEN reason ~ '^an unexpected fault of ours|^the database refused it|^the fetched content can''t be' THEN 'internal_fault'
    WHEN reason ~ '^not fetched from the tool''s API within 7 days' THEN 'fetch_expired'
    WHEN reason ~ '^the tool''s API answered 403' THEN 'api_forbidden'
    WHEN reason ~ 'the tool''s API.*, [0-9]+ times$' THEN 'api_unavailable'
    WHEN reason ~ '^the answer of the tool''s API (is longer|has too many)' THEN 'too_large'
    WHEN reason ~ '^the tool''s API answered 4' THEN 'api_refused'
    WHEN reason ~ '^(the data is )?(more than [0-9]+ values|nested more than)|^the record is too long|^a batch has at most'
        THEN 'too_large'
    WHEN reason ~ '^(the data is )?(not JSON|not UTF-8|a key is given twice|a number (has more|is too large)|a text holds NUL)'
        OR reason ~ 'is not a JSON number$|^the form is not UTF-8|^the body is no form|^the batch is not a JSON array'
        OR reason ~ '^datacontenttype: the data must be JSON|^data_base64 is not base64' THEN 'malformed_body'
    WHEN reason ~ '^[^;]*: outside its scale' THEN 'outside_scale'
    WHEN reason ~ '^[^;]*: more than 5 minutes ahead of our clock' THEN 'time_in_future'
    WHEN reason ~ 'by the mapping, but|is a comment, but its|^the data has none of the mapped|mapping\.(id|at)'
        THEN 'mapping_mismatch'
    WHEN reason ~ ': unknown.*; known are' THEN 'unknown_value'
    WHEN reason ~ '^specversion' THEN 'unexpected_payload'
    WHEN reason ~ '^[A-Za-z0-9_….-]+: |places are wrong$' THEN 'invalid_record'
    WHEN reason ~ 'is missing|are needed|has no |is not an object|is neither|is no list|a batch within a batch|percent-encoded'
        THEN 'unexpected_payload'
END WHERE verdict = 'quarantined'
"""


def upgrade() -> None:
    op.alter_column("inbox", "verdict", comment=f"{VERDICTS} or discarded")
    op.add_column(
        "inbox",
        sa.Column("reason_code", sa.Text, comment="why it is or was in quarantine; null: never, or stored by an earlier version"),
    )
    op.execute(CLASSIFY)
    op.create_index(
        "inbox_unread",
        "inbox",
        ["tenant", "verdict", "seq"],
        postgresql_include=["connection", "reason_code", "received_at"],
        postgresql_where=sa.text("verdict IN ('quarantined', 'discarded')"),
    )


def downgrade() -> None:
    op.drop_index("inbox_unread", "inbox")
    op.drop_column("inbox", "reason_code")
