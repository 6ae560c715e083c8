"""The shell: performs what the engine decides. It does I/O, keeps time, and holds no rules."""
