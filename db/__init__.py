"""The database: engine and transactions, tables, migrations, the embedded server. It contains no business rules."""
