"""Container names: what is allowed, and names for those who gave none."""

import re
import secrets
from collections.abc import Container

from lading.errors import InvalidParameter

_NAME = re.compile(r"/?[a-zA-Z0-9][a-zA-Z0-9_.-]+\Z")

_QUALITIES = """able agile amber ample ardent azure balmy blithe bold brave breezy bright brisk calm candid
careful cheery civil clear clever coastal cool copper coral cosy crisp daring deft eager early earnest easy
fair fearless fine firm fleet fond frank fresh gallant gentle glad golden grand green hale handy
happy hardy hearty honest humble jolly keen kind lively lofty loyal lucid lucky mellow merry mild
modest neat nimble noble patient placid plucky polite proud prudent quick quiet ready robust rosy
sage seaworthy serene sharp silver sleek smart smooth snug sober solid sound spry stable staunch
steady stout sunny sure swift tidy tranquil trim true upbeat valiant vivid warm wise witty zesty""".split()

_VESSELS = """anchor argosy ballast barge barque beacon bollard boom bosun bowline brig brigantine buoy cabin
capstan caravel cargo carrack clipper coaster cog compass corvette crane crate cutter davit derrick
dhow dinghy dock dory drifter felucca fender ferry flagship fluyt freighter frigate gaff galleon
galley gangway halyard harbour hatch haven hawser helm hold hull hulk jetty jib junk keel ketch
knarr lanyard lateen launch leeway lighter longship lugger mainsail manifest mast mizzen mooring
packet pallet pier pilot pinnace port prow punt quay rigging rudder sampan schooner sextant shallop
sheet shipyard skiff sloop spar spinnaker stevedore stow tackle tender tiller topsail trawler
trimaran tug wharf wherry winch xebec yard yawl""".split()


def check(name: str) -> str:
    """The name without a leading slash. Raises InvalidParameter."""
    if _NAME.match(name) is None:
        raise InvalidParameter(f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
    return name.removeprefix("/")


def invent(taken: Container[str]) -> str:
    """Two words, and a number if every pair tried is taken already."""
    for _ in range(8):
        name = f"{secrets.choice(_QUALITIES)}_{secrets.choice(_VESSELS)}"
        if name not in taken:
            return name
    while (numbered := f"{name}{secrets.randbelow(100_000)}") in taken:
        pass
    return numbered
