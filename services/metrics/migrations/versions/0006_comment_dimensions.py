"""Themes and urgency of contributions.

Servers of the previous version still work: they leave both columns null. Contributions that they write, and those written
before the upgrade, get their themes and urgency when their subjects are rebuilt.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = ("themes", "urgency")


def upgrade() -> None:
    for name in COLUMNS:
        values = postgresql.ARRAY(sa.Integer())
        op.add_column("contributions", sa.Column(name, values, nullable=True, comment="terms; sorted, null for none"))


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column("contributions", name)
