"""Presets that a tenant has switched on, as a part of a revision of its terms.

A change of other terms by a server of the previous version leaves the presets out. Switch presets on once all servers have this
version.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "terms_revisions",
        sa.Column(
            "presets",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="those that are switched on",
        ),
    )


def downgrade() -> None:
    op.drop_column("terms_revisions", "presets")
