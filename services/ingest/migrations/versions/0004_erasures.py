"""Erasures that reach stored bodies: the jobs, a quick way to a tenant's bodies, and one to see that a subject is erased.

Nothing that exists is changed, and the previous version works on as before. Tombstones that are there are in the new index, so
subjects that were erased by earlier versions count as erased without a copy of their names.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TOMBSTONE = r"fingerprint = '\x08fecbbec1ec7d4e88ebde2b379a0ef5'::bytea"

ERASED_AMONG = rf"""
CREATE FUNCTION erased_among(tenants text[], subjects text[], locks_held bigint)
RETURNS TABLE (erased_tenant text, erased_subject text) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN QUERY SELECT DISTINCT asked.tenant, asked.subject FROM unnest(tenants, subjects) AS asked (tenant, subject)
    CROSS JOIN LATERAL (
        SELECT FROM events e WHERE e.tenant = asked.tenant AND e.subject = asked.subject AND e.{TOMBSTONE} LIMIT 1
    ) AS tombstone;
END $$
"""  # noqa: S608
"""Which of the subjects are erased. VOLATILE: each call takes a new snapshot. `locks_held` is not used; an argument that depends
on the caller's locks makes PostgreSQL call this after it has taken them."""


def upgrade() -> None:
    op.create_index("events_tombstones", "events", ["tenant", "subject"], postgresql_where=sa.text(TOMBSTONE))
    op.execute(ERASED_AMONG)
    op.create_index("inbox_bodies", "inbox", ["tenant", "seq"], postgresql_where=sa.text("raw IS NOT NULL"))
    op.alter_column("inbox", "verdict", comment="accepted, quarantined, ignored, held or erased")
    op.create_table(
        "erasures",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False, comment="of the erasure in the inbox"),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("names", sa.ARRAY(sa.Text), nullable=False, comment="every pseudonym of the customer"),
        sa.Column("requested", sa.ARRAY(sa.Text), nullable=False, comment="those that the request itself states"),
        sa.Column("reached", sa.BigInteger, nullable=False, server_default="-1", comment="bodies up to it are searched"),
        sa.Column(
            "due", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now(), comment="when it may be claimed"
        ),
    )


def downgrade() -> None:
    op.alter_column("inbox", "verdict", comment="accepted, quarantined, ignored or held")
    op.drop_table("erasures")
    op.drop_index("inbox_bodies", "inbox")
    op.execute("DROP FUNCTION erased_among")
    op.drop_index("events_tombstones", "events")
