"""The command line `lading`: Docker's grammar, messages and exit codes.

Here: what a user types (`flags`), what is shown (`columns`, `template`), the
user's terminal and streams, and one module per command in `commands`. Not
here: how requests travel (the `client` room) and anything an engine decides.
It calls `client` and, where speed does not matter, the hall.

What runs before every command imports only what starts fast: no `re`, `enum`,
`typing`, `argparse` or `json`. A launcher that starts `python -I -S` and puts the
package's directory on `sys.path` itself is the fastest way in.
"""

from lading.cli.dispatch import main

__all__ = ["main"]
