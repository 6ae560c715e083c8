"""A run, told to a reader: in the terminal, as JSON, as JUnit XML, as a page with every call drawn."""
