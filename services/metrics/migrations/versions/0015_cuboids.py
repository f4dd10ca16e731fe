"""Histograms of pairs of dimensions, and which cuboids each seal holds.

Servers of the previous version still work. They read and count the cuboids that they know. What they count has a new id, which
`held_by` lacks, so this version uses none but their cuboids of it, and counts it again. Their `verify` reports the histograms
that it does not know as differences: run that of this version.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

NEW = (
    ("histograms", sa.Column("second", sa.Integer(), nullable=True, comment="the value of a pair's second dimension")),
    ("seals", sa.Column("held_by", sa.BigInteger(), nullable=True, comment="the id of which `held` and `cuboids` are")),
    ("seals", sa.Column("held", sa.BigInteger(), nullable=True, comment="a bit for each cuboid that is stored whole")),
    ("seals", sa.Column("cuboids", sa.SmallInteger(), nullable=True, comment="the CUBOIDS_VERSION of the count")),
)


def upgrade() -> None:
    for table, column in NEW:
        op.add_column(table, column)
    op.alter_column("sealing", "revision", comment="the CUBOIDS_VERSION for which all spans were sealed")


def downgrade() -> None:
    hours = "SELECT id FROM seals WHERE level = 1"
    op.execute(f"DELETE FROM histograms WHERE cuboid > 13 OR (cuboid > 0 AND seal_id IN ({hours}))")  # noqa: S608
    for table, column in NEW:
        op.drop_column(table, column.name)
    op.alter_column("sealing", "revision", comment="the CUBOIDS_REVISION for which spans were looked for")
