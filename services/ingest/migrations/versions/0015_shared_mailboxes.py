"""Remember which addresses are shared mailboxes when customers of theirs are erased, since their ids are counted no more."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "shared_mailboxes",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("address", sa.Text, primary_key=True, comment="pseudonym"),
    )


def downgrade() -> None:
    op.drop_table("shared_mailboxes")
