"""`held`: the verdict on deliveries that came while their connection was paused, and an index that finds them by connection.

Until now these were `quarantined` with a fixed reason. A replica of the previous version may still write such rows while the new
version is rolled out; a trigger stores them as `held`. A later migration may drop it.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

FUNCTION = "CREATE FUNCTION inbox_hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.verdict := 'held'; RETURN NEW; END $$"
TRIGGER = """
CREATE TRIGGER inbox_hold BEFORE INSERT OR UPDATE ON inbox FOR EACH ROW
WHEN (NEW.verdict = 'quarantined' AND NEW.reason = 'the connection was paused') EXECUTE FUNCTION inbox_hold()
"""


def upgrade() -> None:
    op.create_index("inbox_held", "inbox", ["connection", "seq"], postgresql_where="verdict = 'held'")
    op.execute("COMMENT ON COLUMN inbox.verdict IS 'accepted, quarantined, ignored or held'")
    op.execute(FUNCTION)
    op.execute(TRIGGER)
    op.execute("UPDATE inbox SET verdict = 'held' WHERE verdict = 'quarantined' AND reason = 'the connection was paused'")


def downgrade() -> None:
    op.execute("DROP TRIGGER inbox_hold ON inbox")
    op.execute("DROP FUNCTION inbox_hold")
    op.execute("UPDATE inbox SET verdict = 'quarantined', reason = 'the connection was paused' WHERE verdict = 'held'")
    op.drop_index("inbox_held", "inbox")
