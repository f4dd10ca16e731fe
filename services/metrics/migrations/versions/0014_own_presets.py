"""Presets of a tenant's own. A revision of the terms has the first so many versions of them.

Servers of the previous version compute nothing under such a preset, and a change of other terms by one of them leaves them out.
Define presets once all servers have this version.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "presets",
        sa.Column("tenant", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="a version of a preset, as JSON"),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "number", name="presets_pkey"),
    )
    op.add_column(
        "terms_revisions",
        sa.Column(
            "own_presets",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="the first so many rows of presets",
        ),
    )


def downgrade() -> None:
    op.drop_column("terms_revisions", "own_presets")
    op.drop_table("presets")
