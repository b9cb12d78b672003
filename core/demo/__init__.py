"""The demo workspace: four people, a pipeline with eighteen months of history, accounts and contacts."""
