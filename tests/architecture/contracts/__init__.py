"""What import-linter cannot say by itself about rooms on floors.

Each contract type is used by `.importlinter` under the name in brackets:
front doors [front_doors], the client wing [wing], decisions that do not act
[pure], the keeper alone [alone], rings [no_rings], hidden imports [top_level].
"""

from tests.architecture.contracts.alone import AloneContract
from tests.architecture.contracts.doors import FrontDoorsContract
from tests.architecture.contracts.pure import PureContract
from tests.architecture.contracts.rings import NoRingsContract
from tests.architecture.contracts.top_level import TopLevelContract
from tests.architecture.contracts.wing import WingContract

__all__ = [
    "AloneContract",
    "FrontDoorsContract",
    "NoRingsContract",
    "PureContract",
    "TopLevelContract",
    "WingContract",
]
