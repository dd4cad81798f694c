"""One module per command: its flags, its words, and what it does. Imported only when it runs."""
