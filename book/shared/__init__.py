"""What several chapters use: the ledger of claims, the look of figures, explorers, tables and numbers of a page."""
