"""Back-fills: jobs that page through the list API of a tool. They are rows of `delivery_jobs` with a cursor."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.alter_column("delivery_jobs", "kind", comment="reread, retry, discard or backfill")
    op.add_column("delivery_jobs", sa.Column("cursor", JSONB, comment="of the next page of a back-fill; null: none is left"))
    op.add_column(
        "delivery_jobs", sa.Column("attempts", sa.Integer, nullable=False, server_default="0", comment="in a row, failed")
    )
    op.add_column("delivery_jobs", sa.Column("problem", sa.Text, comment="why it waits, or why it ended without success"))
    op.create_index(
        "delivery_jobs_one_backfill",
        "delivery_jobs",
        ["connection"],
        unique=True,
        postgresql_where=sa.text("kind = 'backfill' AND finished IS NULL"),
    )
    op.create_index(
        "delivery_jobs_backfills", "delivery_jobs", ["connection", "id"], postgresql_where=sa.text("kind = 'backfill'")
    )


def downgrade() -> None:
    op.execute("DELETE FROM delivery_jobs WHERE kind = 'backfill'")
    op.drop_index("delivery_jobs_backfills", "delivery_jobs")
    op.drop_index("delivery_jobs_one_backfill", "delivery_jobs")
    for column in ("cursor", "attempts", "problem"):
        op.drop_column("delivery_jobs", column)
    op.alter_column("delivery_jobs", "kind", comment="reread, retry or discard")
