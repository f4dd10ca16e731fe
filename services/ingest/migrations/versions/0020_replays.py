"""Replays as rows with progress, which a worker hands to the outbox in batches, instead of one statement for all deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "replays",
        sa.Column("tenant", sa.Text, primary_key=True, comment="empty: of all tenants"),
        sa.Column("id", sa.Text, primary_key=True, comment="by its requester, so that a repeated request adds none"),
        sa.Column("connection", sa.Text, comment="null: all"),
        sa.Column("subject", sa.Text, comment="null: all"),
        sa.Column("since", TIME, comment="received at or after; null: all"),
        sa.Column("until", TIME, comment="received before; null: all"),
        sa.Column("first", sa.BigInteger, nullable=False, comment="deliveries up to it were received too early"),
        sa.Column("upto", sa.BigInteger, nullable=False, comment="the last delivery of the replay"),
        sa.Column("reached", sa.BigInteger, nullable=False, comment="deliveries up to it were handed to the outbox"),
        sa.Column("reached_at", TIME, comment="the deliveries after it were received since about then; null: there is none"),
        sa.Column("queued", sa.BigInteger, nullable=False, server_default="0", comment="deliveries, without those that waited"),
        sa.Column("requested_by", sa.Text, comment="id of the API key; null: the operator or a service of ours"),
        sa.Column("added", TIME, nullable=False, server_default=sa.func.now()),
        sa.Column("worked", TIME, comment="when the latest step was done"),
        sa.Column("finished", TIME),
        sa.Column("request_id", sa.Text, comment="of the request for it"),
        sa.Column("traceparent", sa.Text, comment="of the same request, if it had one"),
    )
    op.create_index("replays_open", "replays", ["tenant"], postgresql_where=sa.text("finished IS NULL"))
    op.create_index("replays_turns", "replays", ["tenant", "worked"])
    op.add_column(
        "unpublished", sa.Column("replayed", sa.Boolean, nullable=False, server_default="false", comment="a replay put it there")
    )
    op.create_index("unpublished_replayed", "unpublished", ["seq"], postgresql_where=sa.text("replayed AND comments = 0"))


def downgrade() -> None:
    op.drop_index("unpublished_replayed", "unpublished")
    op.drop_column("unpublished", "replayed")
    op.drop_table("replays")
