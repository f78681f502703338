"""What Alembic runs: the migrations on the connection that `storekit.migrate` gives."""

from alembic import context

from storekit.migrate import VERSION_TABLE
from storekit.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
