"""Subjects of which a human judged a comment, so that these can be found among the others."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MARK = """
UPDATE subjects SET judged = true WHERE id IN (
    SELECT subject_id FROM statements WHERE position(convert_to('"type":"override"', 'UTF8') IN body) > 0
)
"""
"""In the words of customers a quotation mark is escaped, so only the type of a statement matches."""


def upgrade() -> None:
    comment = "a human judged one of its comments, ever"
    op.add_column("subjects", sa.Column("judged", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment=comment))
    op.execute(MARK)
    marked = sa.text("judged AND NOT erased")
    op.create_index("subjects_judged", "subjects", ["tenant", "id"], unique=False, postgresql_where=marked)


def downgrade() -> None:
    op.drop_index("subjects_judged", table_name="subjects")
    op.drop_column("subjects", "judged")
