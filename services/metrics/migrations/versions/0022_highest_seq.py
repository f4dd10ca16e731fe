"""The highest sequence number of the events from a partition, by which a restored older database of ingest is noticed."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "the highest sequence number of its events; null: none since the column was added"
    op.add_column("progress", sa.Column("highest_seq", sa.BigInteger, comment=comment))


def downgrade() -> None:
    op.drop_column("progress", "highest_seq")
