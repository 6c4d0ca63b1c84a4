//! PostgreSQL: pools, migrations, and one function a query. SQL lives here and in migrations/ only.
