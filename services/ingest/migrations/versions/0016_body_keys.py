"""Bodies may be encrypted, each under a key of its own. A key is spent when its body is deleted or replaced.

Nothing that exists is changed. The previous version stores plain bodies as before, and must not run beside a process that
encrypts them (INGEST_ENCRYPT_BODIES).
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

SPEND = """
CREATE FUNCTION spend_body_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO spent_body_keys (id) VALUES (OLD.body_key) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""
ON_UPDATE = """
CREATE TRIGGER inbox_body_replaced AFTER UPDATE OF raw, body_key ON inbox FOR EACH ROW WHEN (
    OLD.body_key IS NOT NULL
    AND (NEW.body_key IS DISTINCT FROM OLD.body_key OR NEW.raw IS NULL OR octet_length(NEW.raw) = 0)
) EXECUTE FUNCTION spend_body_key()
"""
ON_DELETE = """
CREATE TRIGGER inbox_body_deleted AFTER DELETE ON inbox FOR EACH ROW WHEN (OLD.body_key IS NOT NULL)
EXECUTE FUNCTION spend_body_key()
"""


def upgrade() -> None:
    op.add_column(
        "inbox", sa.Column("body_key", sa.BigInteger, comment="id of the key that encrypts `raw`; null: `raw` is plain")
    )
    op.execute("CREATE SEQUENCE body_key_seq")
    op.create_table(
        "body_keys",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False, comment="the key, encrypted"),
    )
    op.create_table("spent_body_keys", sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False))
    for statement in (SPEND, ON_UPDATE, ON_DELETE):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER inbox_body_replaced ON inbox")
    op.execute("DROP TRIGGER inbox_body_deleted ON inbox")
    op.execute("DROP FUNCTION spend_body_key")
    op.drop_table("spent_body_keys")
    op.drop_table("body_keys")
    op.execute("DROP SEQUENCE body_key_seq")
    op.drop_column("inbox", "body_key")
