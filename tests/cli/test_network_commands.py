"""Commands about networks look exactly as docker's do, and ask the engine for the same."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.cli.conftest import Outcome, needs_docker
from tests.cli.recorder import Answer, Recorder, as_json, refusal

from lading.cli.completing import goal
from lading.cli.dispatch import GLOBAL_FLAGS

Run = Callable[..., Outcome]


def _network(name: str, **more: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "Id": name.encode().hex().ljust(64, "0"),
        "Created": "2026-01-02T03:04:05.678Z",
        "Scope": "local",
        "Driver": "bridge",
        "EnableIPv4": True,
        "EnableIPv6": False,
        "IPAM": {"Driver": "default", "Options": None, "Config": [{"Subnet": "10.1.0.0/16"}]},
        "Internal": False,
        "Attachable": False,
        "Ingress": False,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": {},
        "Options": {},
        "Labels": {},
        **more,
    }


@pytest.fixture(autouse=True)
def _script(recorder: Recorder) -> None:
    answers = recorder.answers
    blue = _network("blue", Labels={"a": "1"}, Internal=True)
    answers["GET /networks"] = as_json([_network("net10"), _network("net2"), blue])
    answers["GET /networks/blue"] = as_json(blue)
    for name in ("nope", "used"):
        answers[f"GET /networks/{name}"] = refusal(404, f"network {name} not found")
        answers[f"DELETE /networks/{name}"] = refusal(404, f"network {name} not found")
    answers["GET /networks/used"] = as_json(_network("used"))
    answers["DELETE /networks/used"] = refusal(403, "network used has active endpoints")
    answers["DELETE /networks/blue"] = Answer(204)
    answers["POST /networks/create"] = as_json({"Id": "ab" * 32, "Warning": ""}, 201)
    answers["POST /networks/blue/connect"] = Answer(200)
    answers["POST /networks/nope/connect"] = refusal(404, "network nope not found")
    answers["POST /networks/blue/disconnect"] = Answer(200)
    answers["POST /networks/prune"] = as_json({"NetworksDeleted": ["one", "two"]})


LINES = r"""
network create blue
network create -d macvlan -o parent=eth0 --opt x --label a=b --label c --attachable --internal blue
network create --subnet 10.1.0.0/16 --ip-range 10.1.5.0/24 --gateway 10.1.5.254 blue
network create --subnet 10.1.0.0/16 --aux-address host=10.1.0.9 blue
network create --subnet 10.1.0.0/16 --aux-address host=10.9.0.9 blue
network create --ip-range 10.1.0.0/24 blue
network create --subnet 10.1.0.0/16 --subnet 10.1.5.0/24 blue
network create --subnet 10.1.0.0/16 --gateway 10.2.0.1 blue
network create --subnet 10.1.0.0/16 --ip-range 10.2.0.0/24 blue
network create --subnet nonsense blue
network create --ipv6 --ipv4=false blue
network create --config-only blue
network create --config-from plan --scope local --ingress blue
network create --ipam-driver x --ipam-opt a=b blue
network create
network create a b
network connect blue web
network connect --alias a,b --alias c --ip 10.1.0.5 --link db:data --gw-priority -3 blue web
network connect --driver-opt a=b --link-local-ip 169.254.1.1 --ip6 2001:db8::1 blue web
network connect --driver-opt a blue web
network connect nope web
network connect blue
network disconnect blue web
network disconnect -f blue web
network ls
network list
network ls -q
network ls --no-trunc
network ls --no-trunc -q
network ls --format json
network ls --format '{{.ID}}|{{.Name}}|{{.Driver}}|{{.Scope}}|{{.IPv6}}|{{.Internal}}|{{.Labels}}'
network ls --format '{{.CreatedAt}} {{.Label "a"}} {{.IPv4}}'
network ls --format 'table {{.Name}}\t{{.Internal}}\t{{.Labels}}'
network ls --format raw
network ls -f driver=bridge -f label=a --filter name=x
network ls -f x
network inspect blue
network inspect -v blue
network inspect -f '{{.Id}} {{.Internal}}' blue nope
network inspect
inspect --type network blue
network rm blue
network remove -f nope blue
network prune -f
network prune -f --filter until=1h --filter label!=b
network prune
""".strip().splitlines()


@needs_docker
@pytest.mark.parametrize("line", LINES)
def test_same_as_docker(line: str, alike: Callable[[str], None]) -> None:
    alike(line)


def test_removing_what_cannot_be_removed(lading: Run) -> None:
    done = lading("network", "rm", "blue", "used", "nope")
    assert done.code == 1
    assert done.out == "blue\n"
    assert "network used has active endpoints" in done.err
    assert "network nope not found" in done.err


def test_several_pools(recorder: Recorder, lading: Run) -> None:
    words = ("--subnet", "10.1.0.0/16,10.2.0.0/16", "--gateway", "10.2.0.1", "--gateway", "10.1.0.1")
    assert lading("network", "create", *words, "blue").code == 0
    [call] = [call for call in recorder.take() if call.path == "/networks/create"]
    assert call.json["IPAM"]["Config"] == [
        {"Subnet": "10.1.0.0/16", "Gateway": "10.1.0.1"},
        {"Subnet": "10.2.0.0/16", "Gateway": "10.2.0.1"},
    ]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["network", "rm", ""], "networks"),
        (["network", "connect", ""], "networks"),
        (["network", "connect", "blue", ""], "containers"),
        (["network", "create", "--config-from", ""], "networks"),
    ],
)
def test_completion(words: list[str], kind: str) -> None:
    assert goal(words, GLOBAL_FLAGS).kind == kind
