"""Calendars of business hours. A revision of the terms has the first so many versions of the tenant's calendars.

Servers of the previous version write no durations in business hours. Set calendars once all servers have this version.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendars",
        sa.Column("tenant", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="a version of a calendar, as JSON"),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "number", name="calendars_pkey"),
    )
    op.add_column(
        "terms_revisions",
        sa.Column(
            "calendars",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="the first so many rows of calendars",
        ),
    )


def downgrade() -> None:
    op.drop_column("terms_revisions", "calendars")
    op.drop_table("calendars")
