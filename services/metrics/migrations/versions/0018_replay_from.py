"""The receipt time from which a replay repeats what follows the position of a partition, for a loss of Kafka."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "what follows next_offset was received since then; null: unknown"
    op.add_column("progress", sa.Column("replay_from", sa.DateTime(timezone=True), comment=comment))


def downgrade() -> None:
    op.drop_column("progress", "replay_from")
