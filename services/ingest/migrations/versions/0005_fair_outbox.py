"""The outbox by tenant, and what of it waits for its comments to be scored.

Rows that an earlier version inserts have the tenant '': to the sweeper they are one tenant's. It publishes every row, whatever
its state says, so it can work on this schema too.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("unpublished", sa.Column("tenant", sa.Text, nullable=False, server_default=""))
    op.add_column(
        "unpublished",
        sa.Column(
            "comments",
            sa.Integer,
            nullable=False,
            server_default="0",
            comment="characters of comments that are to be published again for scoring; 0: nothing is published yet",
        ),
    )
    for name, state in (("unpublished_events", "comments = 0"), ("unpublished_comments", "comments > 0")):
        op.create_index(name, "unpublished", ["tenant", "due", "seq"], postgresql_where=sa.text(state))


def downgrade() -> None:
    for name in ("unpublished_comments", "unpublished_events"):
        op.drop_index(name, "unpublished")
    for column in ("comments", "tenant"):
        op.drop_column("unpublished", column)
