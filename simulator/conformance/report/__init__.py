"""What an examination found, for people, programs, build servers and front pages. Values in, text out; no I/O."""
