"""The health of connections: counts of deliveries by hour, unmapped questions, keys of mappings that occur; jobs that read again.

Nothing that exists is changed, and the previous version works on as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "delivery_counts",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("hour", TIME, primary_key=True),
        sa.Column("outcome", sa.Text, primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "connection_activity",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("last_delivery", TIME, comment="receipt of the latest verified delivery"),
        sa.Column("read_revision", sa.Integer, comment="the latest revision of the mapping under which a delivery was accepted"),
    )
    op.create_table(
        "unmapped_questions",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("question", sa.Text, primary_key=True),
        sa.Column("ref", sa.Text),
        sa.Column("title", sa.Text),
        sa.Column("seen", sa.BigInteger, nullable=False, comment="accepted deliveries that answer it"),
        sa.Column("last_seen", TIME, nullable=False),
    )
    op.create_table(
        "mapped_keys",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("section", sa.Text, primary_key=True, comment="questions or dimensions"),
        sa.Column("key", sa.Text, primary_key=True, comment="occurred in an accepted delivery"),
    )
    op.create_table(
        "rereads",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("connection", sa.Text, comment="null: all of the tenant"),
        sa.Column("subject", sa.Text, comment="null: all"),
        sa.Column("since", TIME, comment="received at or after; null: all"),
        sa.Column("until", TIME, comment="received before; null: all"),
        sa.Column("reached", sa.BigInteger, nullable=False, server_default="-1", comment="deliveries up to it are read"),
        sa.Column("due", TIME, nullable=False, server_default=sa.func.now(), comment="when it may be claimed"),
    )


def downgrade() -> None:
    for table in ("rereads", "mapped_keys", "unmapped_questions", "connection_activity", "delivery_counts"):
        op.drop_table(table)
