"""ladingd's flags and its configuration file."""

import json
from pathlib import Path

import pytest

from lading.daemon.addresses import InheritedSockets, TcpAddress, UnixAddress, parse_address
from lading.daemon.check import registry_settings
from lading.daemon.command_line import parse
from lading.errors import InvalidParameter


def _file(tmp_path: Path, content: object) -> str:
    path = tmp_path / "daemon.json"
    path.write_text(json.dumps(content))
    return str(path)


def test_flags_and_file_are_united(tmp_path: Path) -> None:
    path = _file(tmp_path, {"hosts": ["unix:///a"], "runtimes": {"x": {"path": "/bin/x"}}, "mtu": 1400})
    settings, validate = parse(["--config-file", path, "-D", "--bip=10.1.0.1/16", "--validate"])
    assert validate
    assert (settings.host, settings.mtu, settings.debug, settings.bip) == (
        ["unix:///a"],
        1400,
        True,
        "10.1.0.1/16",
    )
    assert settings.add_runtime == {"x": {"path": "/bin/x"}}


def test_a_directive_in_both_places_is_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, {"debug": False})
    with pytest.raises(
        InvalidParameter, match=r"both as a flag and .* debug: \(from flag: True, from file: False\)"
    ):
        parse(["--config-file", path, "--debug"])


def test_an_unknown_directive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="don't match any configuration option: colour"):
        parse(["--config-file", _file(tmp_path, {"colour": "red"})])


@pytest.mark.parametrize("content", ["{", "[]", '{"mtu": "big"}', '{"hosts": "unix:///a"}'])
def test_a_broken_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "daemon.json"
    path.write_text(content)
    with pytest.raises(InvalidParameter, match=str(path)):
        parse(["--config-file", str(path)])


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="no such file"):
        parse([f"--config-file={tmp_path}/none.json"])


def test_tls_may_be_denied_explicitly(tmp_path: Path) -> None:
    path = _file(tmp_path, {})
    assert parse(["--config-file", path])[0].tls is None
    assert parse(["--config-file", path, "--tls=false"])[0].tls is False
    assert parse(["--config-file", path, "--tls"])[0].tls is True


@pytest.mark.parametrize(
    ("flags", "tls", "strangers"),
    [
        ([], False, False),
        (["--tls"], True, False),
        (["--tlsverify"], True, False),
        (["--tlsverify=false"], False, False),
        (["--tls=false"], False, True),
        (["--tls=false", "--tlsverify"], True, False),
        (["--tls=false", "--tlsverify=false"], False, True),
        (["--tls", "--tlsverify=false"], True, True),
    ],
)
def test_who_may_come_over_tcp(tmp_path: Path, flags: list[str], tls: bool, strangers: bool) -> None:
    settings, _ = parse(["--config-file", _file(tmp_path, {}), *flags])
    assert (settings.use_tls, settings.open_to_strangers) == (tls, strangers)


def test_addresses() -> None:
    assert parse_address("unix:///run/x.sock", tls=False) == UnixAddress("/run/x.sock")
    assert parse_address("fd://", tls=False) == InheritedSockets("")
    assert parse_address("tcp://", tls=True) == TcpAddress("127.0.0.1", 2376)
    assert parse_address("tcp://0.0.0.0:99", tls=True) == TcpAddress("0.0.0.0", 99)
    assert parse_address("tcp://[::1]:99", tls=False) == TcpAddress("::1", 99)
    for bad in ("x", "unix://rel", "tcp://h:p", "ftp://h"):
        with pytest.raises(InvalidParameter):
            parse_address(bad, tls=False)


def test_registries_by_flag_and_by_file(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        {
            "registry-mirrors": ["https://m.example", "https://m.example/"],
            "insecure-registries": ["reg.example:5000", "10.1.2.3/8"],
            "max-concurrent-uploads": 9,
            "proxies": {"http-proxy": "http://p:1", "no-proxy": "x.example"},
        },
    )
    settings, _ = parse(["--config-file", path, "--https-proxy=http://p:2", "--max-download-attempts=2"])
    known = registry_settings(settings)
    assert known.mirrors == ("https://m.example/",)
    assert known.insecure == ("reg.example:5000", "10.0.0.0/8", "::1/128", "127.0.0.0/8")
    assert (known.http_proxy, known.https_proxy, known.no_proxy) == ("http://p:1", "http://p:2", "x.example")
    assert (settings.max_concurrent_downloads, settings.max_concurrent_uploads, known.attempts) == (3, 9, 2)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--registry-mirror=m.example", "invalid mirror: no scheme specified"),
        ("--insecure-registry=svn://x", "should not contain '://'"),
        ("--max-concurrent-downloads=-1", "invalid max concurrent downloads: -1"),
        ("--max-concurrent-uploads=-1", "invalid max concurrent uploads: -1"),
        ("--max-download-attempts=0", "invalid max download attempts: 0"),
        ("--max-layer-entries=0", "invalid max layer entries: 0"),
        ("--max-layer-size=0", "invalid max layer size: 0"),
    ],
)
def test_registries_that_cannot_be(tmp_path: Path, flag: str, message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        parse(["--config-file", _file(tmp_path, {}), flag])


def test_proxies_must_be_an_object(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="proxies must be an object"):
        parse(["--config-file", _file(tmp_path, {"proxies": "http://p:1"})])
