"""Revisions of a tenant's terms, and builds that bring its contributions to a new one.

Servers of the previous version still work. They read the served generation of measures alone, and delete what a build wrote of a
subject that they write. So no build begins on its own in the first minutes of a server (`services.metrics.builder`).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    def number(name: str, default: str, kind: type[sa.Integer] = sa.Integer, comment: str | None = None) -> sa.Column[int]:
        return sa.Column(name, kind(), server_default=sa.text(default), nullable=False, comment=comment)

    op.add_column("tenants", number("terms_revision", "1"))
    op.add_column("tenants", sa.Column("building_revision", sa.Integer(), nullable=True))
    op.add_column("tenants", number("contributions_version", "1", sa.SmallInteger))
    op.add_column("tenants", number("generation", "0", comment="how often a build was finished"))
    op.add_column("measures", sa.Column("retired", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    own = postgresql.ARRAY(sa.Integer())
    op.add_column(
        "contributions", sa.Column("own", own, nullable=True, comment="terms, by the tenant's own dimensions; null for none")
    )
    op.create_table(
        "terms_revisions",
        sa.Column("tenant", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("dimensions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "revision", name="terms_revisions_pkey"),
    )
    op.create_table(
        "builds",
        sa.Column("tenant", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("place", sa.Text(), server_default=sa.text("''"), nullable=False, comment="the last subject that is done"),
        sa.Column("done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("walked_at", INSTANT, nullable=True, comment="when the last subject was done"),
        sa.Column("retiring", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="only old rows are left"),
        sa.Column("leased_until", INSTANT, server_default=sa.text("'-infinity'"), nullable=False),
        sa.PrimaryKeyConstraint("tenant"),
    )


def downgrade() -> None:
    op.drop_table("builds")
    op.drop_table("terms_revisions")
    op.drop_column("contributions", "own")
    op.drop_column("measures", "retired")
    for name in ("generation", "contributions_version", "building_revision", "terms_revision"):
        op.drop_column("tenants", name)
