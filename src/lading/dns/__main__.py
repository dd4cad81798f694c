"""The resolver's process: `python -I -S <this file> SOCKET LOG`.

Run by its path in isolated mode, for a site's packages would double its memory.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from lading.dns.main import main

main(sys.argv[1], sys.argv[2])
