"""`python -m lading.cli`."""

import sys

from lading.cli.dispatch import main

if __name__ == "__main__":
    sys.exit(main())
