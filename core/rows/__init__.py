"""Reading rows: views in SQL, pages, orders, a sheet as of an earlier moment."""
