"""What is true now: one World per account, plain dicts of frozen records, changed by synchronous commands."""
