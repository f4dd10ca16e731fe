"""Jobs that work through stored deliveries: rereads, retries and discards of quarantined ones, with their results.

The previous version adds and does its jobs in `rereads` as before; the new one moves them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "delivery_jobs",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False, comment="reread, retry or discard"),
        sa.Column("connection", sa.Text, comment="null: all of the tenant"),
        sa.Column("provider", sa.Text, comment="null: all"),
        sa.Column("reason_code", sa.Text, comment="null: all"),
        sa.Column("subject", sa.Text, comment="null: all"),
        sa.Column("since", TIME, comment="received at or after; null: all"),
        sa.Column("until", TIME, comment="received before; null: all"),
        sa.Column("quarantined", sa.BigInteger, comment="the one delivery that it is about; null: those that the filter selects"),
        sa.Column("upto", sa.BigInteger, comment="the last delivery of the job; null: no end"),
        sa.Column("reached", sa.BigInteger, nullable=False, server_default="-1", comment="deliveries up to it are done"),
        sa.Column("matched", sa.BigInteger, nullable=False, server_default="0", comment="deliveries when it was added"),
        sa.Column("results", JSONB, nullable=False, server_default="{}", comment="deliveries by outcome"),
        sa.Column("requested_by", sa.Text, comment="id of the API key; null: the operator"),
        sa.Column("due", TIME, nullable=False, server_default=sa.func.now(), comment="when it may be claimed"),
        sa.Column("claimed", TIME, comment="when it was claimed last"),
        sa.Column("added", TIME, nullable=False, server_default=sa.func.now()),
        sa.Column("finished", TIME),
        sa.Column("request_id", sa.Text, comment="of the request that added the job"),
        sa.Column("traceparent", sa.Text, comment="of the same request, if it had one"),
    )
    op.create_index("delivery_jobs_by_tenant", "delivery_jobs", ["tenant", "id"])
    op.create_index("delivery_jobs_open", "delivery_jobs", ["tenant"], postgresql_where=sa.text("finished IS NULL"))


def downgrade() -> None:
    op.drop_table("delivery_jobs")
