"""The versions of the contributions' definition that processes write; an older process leaves that to newer ones."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "writer_versions",
        sa.Column("version", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=False, comment="when a process with it was last alive"),
    )


def downgrade() -> None:
    op.drop_table("writer_versions")
