"""The request that brought a delivery, until its events are published.

The relay sends its id and its trace as headers of the events. Rows that an earlier version inserts have neither.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column(
        "unpublished",
        sa.Column("request_id", sa.Text, comment="of the request that brought the delivery or requested its replay"),
    )
    op.add_column("unpublished", sa.Column("traceparent", sa.Text, comment="of the same request, if it had one"))


def downgrade() -> None:
    for column in ("traceparent", "request_id"):
        op.drop_column("unpublished", column)
