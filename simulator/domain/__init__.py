"""What exists: frozen records in snake_case, with no behaviour beyond validation."""
