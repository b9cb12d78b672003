"""What is stored: engine and transaction, tables, migrations, the embedded server. No rules live here."""
