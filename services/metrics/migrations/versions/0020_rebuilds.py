"""Rebuilds on request: the last one of each tenant, with the difference between its old and its new contributions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    invalid = postgresql.ARRAY(sa.Text())
    op.create_table(
        "rebuilds",
        sa.Column("tenant", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), comment="when the new contributions were served"),
        sa.Column("comparison", sa.LargeBinary(), comment="of the old and the new contributions, as JSON"),
        sa.Column("invalid", invalid, nullable=False, server_default=sa.text("'{}'"), comment="subjects that can't be folded"),
    )


def downgrade() -> None:
    op.drop_table("rebuilds")
