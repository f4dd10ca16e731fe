"""Deleting values that nothing uses any more: pseudonyms of erased customers, dimension values that only they had.

Servers of the previous version still work: they neither mark values nor note erasures. So every tenant is purged once, a day
after the upgrade, when none of them is left.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for table in ("terms", "customers"):
        op.add_column(table, sa.Column("unused_since", INSTANT, nullable=True, comment="found unused by a purge"))
    op.create_table(
        "purges",
        sa.Column("tenant", sa.Integer(), nullable=False),
        sa.Column("erased_at", INSTANT, nullable=False, comment="the last erasure of one of its subjects"),
        sa.Column("due", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant"),
    )
    op.execute("INSERT INTO purges (tenant, erased_at, due) SELECT id, now(), now() + interval '1 day' FROM tenants")


def downgrade() -> None:
    op.drop_table("purges")
    for table in ("customers", "terms"):
        op.drop_column(table, "unused_since")
