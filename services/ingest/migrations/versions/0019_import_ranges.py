"""Ranges of imports, which several processes read at the same time; attempts of imports; cancelled jobs.

An import whose ranges are stored is due at infinity, so that replicas of the previous version leave it alone.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0019"
down_revision = "0018"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(
        "imports", sa.Column("attempts", sa.Integer, nullable=False, server_default="0", comment="to prepare it, without success")
    )
    op.create_table(
        "import_ranges",
        sa.Column("import_id", sa.BigInteger, sa.ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False, comment="from 1, in the order of the file"),
        sa.Column("part", sa.Integer, nullable=False, comment="records of the range before it, and"),
        sa.Column("part_offset", sa.BigInteger, nullable=False, comment="before this byte of it, are stored"),
        sa.Column("line", sa.BigInteger, nullable=False, comment="lines of the file before that place"),
        sa.Column("end_part", sa.Integer, comment="the next range begins in this part; null: the last range"),
        sa.Column("end_offset", sa.BigInteger, comment="at this byte of it"),
        sa.Column("end_line", sa.BigInteger, comment="behind so many lines of the file"),
        sa.Column("bytes_read", sa.BigInteger, nullable=False, server_default="0", comment="bytes of the range that are done"),
        sa.Column("results", JSONB, nullable=False, server_default="{}", comment="records by result"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0", comment="in a row, without progress"),
        sa.Column("due", TIME, nullable=False, server_default=sa.func.now(), comment="when it may be claimed"),
        sa.Column("finished", TIME),
        sa.Column("reason", sa.Text, comment="why the rest of the range could not be read"),
    )
    op.add_column("delivery_jobs", sa.Column("canceled", sa.Boolean, nullable=False, server_default="false"))


def downgrade() -> None:
    op.drop_column("delivery_jobs", "canceled")
    op.drop_table("import_ranges")
    op.drop_column("imports", "attempts")
