"""Worlds as files: a typed codec for records, the layout of a world, the envelope around it, and the file on disk."""
