"""Customers: erased ones are compared with imported deliveries that are read later, unused keys of bodies are deleted, and bodies
that are plain are found.

Nothing that exists is changed. The previous version leaves the new columns at their defaults, and never claims an erasure of this
version: its `due` is infinite.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"

TIME = sa.DateTime(timezone=True)
IS_PLAIN = "octet_length(raw) > 0 AND (body_key IS NULL OR headers <> '{}' AND NOT starts_with(headers, '{\"encrypted\":\"'))"
FORMER_KEYS = "INSERT INTO body_key_blocks (first, last) SELECT min(id), max(id) FROM body_keys HAVING count(*) > 0"
"""Keys of the previous version are one block: a day later those that no body uses are deleted."""


def upgrade() -> None:
    op.add_column(
        "inbox",
        sa.Column(
            "historical",
            sa.Boolean,
            nullable=False,
            server_default="false",
            comment="of an import or a back-fill: compared with erased customers when it is read",
        ),
    )
    op.create_index("inbox_body_keys", "inbox", ["body_key"], postgresql_where=sa.text("body_key IS NOT NULL"))
    op.create_index("inbox_plain_bodies", "inbox", ["seq"], postgresql_where=sa.text(IS_PLAIN))
    op.create_table(
        "body_key_blocks",
        sa.Column("first", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("renewed_at", TIME, nullable=False, server_default=sa.func.now()),
    )
    op.execute(FORMER_KEYS)
    op.add_column("erasures", sa.Column("claimable", TIME, comment="when it may be claimed; null: an earlier version added it"))
    op.add_column("erasures", sa.Column("remaining", JSONB, comment="which statements are still to be erased; null: none"))
    op.add_column(
        "erasures",
        sa.Column(
            "batches", sa.ARRAY(sa.BigInteger), nullable=False, server_default="{}", comment="deliveries with further tombstones"
        ),
    )
    op.alter_column("erasures", "due", comment="by an earlier version; infinity: never")
    op.alter_column("shared_mailboxes", "address", comment="pseudonym, of an address or an id")


def downgrade() -> None:
    op.alter_column("shared_mailboxes", "address", comment="pseudonym")
    op.execute("UPDATE erasures SET due = now() WHERE due = 'infinity'")
    op.alter_column("erasures", "due", comment="when it may be claimed")
    for name in ("batches", "remaining", "claimable"):
        op.drop_column("erasures", name)
    op.drop_table("body_key_blocks")
    op.drop_index("inbox_plain_bodies", "inbox")
    op.drop_index("inbox_body_keys", "inbox")
    op.drop_column("inbox", "historical")
