"""config.json: what is read from it, what is written, and that docker agrees."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Outcome, needs_docker
from tests.cli.recorder import Recorder, as_json, refusal
from tests.cli.settings import alike, write

from lading.cli.config.auths import (
    HUB,
    Auth,
    decode_auth,
    encode_auth,
    find_entry,
    host_of,
    registry_key,
    search_domain,
)
from lading.cli.config.file import ConfigFile
from lading.cli.config.proxies import proxy_environment
from lading.cli.errors import CommandFailed

Run = Callable[..., Outcome]


# --- what is in it


@pytest.mark.parametrize(("user", "password"), [("a", "b"), ("ä", "x:y:z"), ("u", ""), ("", "")])
def test_credentials_come_back(user: str, password: str) -> None:
    assert decode_auth(encode_auth(user, password)) == (user, password)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("!!", "illegal base64 data at input byte 0"),
        ("YTp!", "illegal base64 data at input byte 3"),
        ("bm9jb2xvbg==", "Invalid auth configuration file"),
        ("OnB3", "Invalid auth configuration file"),
    ],
)
def test_what_are_no_credentials(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode_auth(text)


def test_a_registry_is_found_under_keys_of_older_clients() -> None:
    auths = {"https://old.example/v2/": {"auth": "1"}, "new.example:5000": {"auth": "2"}}
    assert find_entry(auths, "old.example") == ("https://old.example/v2/", {"auth": "1"})
    assert find_entry(auths, "new.example:5000") == ("new.example:5000", {"auth": "2"})
    assert find_entry(auths, "new.example") == ("", {})


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://x:1/v2/", "x:1"),
        ("http://x", "x"),
        ("x:1/y", "x:1"),
        ("localhost", "localhost"),
        ("https://[::1]:5000/", "[::1]:5000"),
    ],
)
def test_the_host_of_a_registrys_address(address: str, host: str) -> None:
    assert host_of(address) == host


def test_docker_hub_has_a_key_of_its_own() -> None:
    assert registry_key("docker.io") == HUB == "https://index.docker.io/v1/"
    assert registry_key("quay.io") == "quay.io"
    assert [search_domain(term) for term in ("a", "a/b", "x.y/b", "x:1/b", "localhost/b")] == [
        "docker.io",
        "docker.io",
        "x.y",
        "x:1",
        "localhost",
    ]


def test_the_header_is_base64_for_urls() -> None:
    header = Auth("x", "??>>", "ÿÿÿ~~~").as_header()
    assert not set(header) & set("+/\n")


def test_proxies_fill_what_is_not_given() -> None:
    proxies = {"default": {"httpProxy": "http://p", "noProxy": "n"}, "tcp://one:1": {"ftpProxy": "f"}}
    assert proxy_environment(proxies, "unix:///x", ["http_proxy=mine", "NO_PROXY"]) == [
        "HTTP_PROXY=http://p",
        "no_proxy=n",
    ]
    assert proxy_environment(proxies, "tcp://one:1") == ["FTP_PROXY=f", "ftp_proxy=f"]
    assert proxy_environment({}, "unix:///x") == []


# --- reading

BROKEN = [
    "{",
    '{"auths":{"x":{"auth":"YTpi',
    '{"auths":[]}',
    '{"auths":{"x":5}}',
    '{"auths":{"x":{"auth":"!!"}}}',
    '{"auths":{"x":{"auth":"bm9jb2xvbg=="}}}',
    '{"proxies":5}',
    '{"psFormat":5}',
    '{"credHelpers":{"x":5}}',
    '{"auths":{"x":{"auth":5}}}',
    '{"auths":{"x":{"password":[]}}}',
    '{"proxies":{"default":{"httpProxy":5}}}',
    '{"pruneFilters":{}}',
    "[]",
]
SOUND = [
    "",
    " \n",
    "null",
    "{}",
    '{"auths":null}',
    '{"unknown":[1]}',
    '{"HttpHeaders":{"a":null}}',
    '{"auths":{"x":{"own":[]}}}',
    '{"auths":{"x":{}}}',
]


@needs_docker
@pytest.mark.parametrize("content", BROKEN + SOUND)
def test_complaints_are_dockers(
    content: str, settings: Path, recorder: Recorder, docker: Run, lading: Run
) -> None:
    recorder.answers["GET /containers/json"] = as_json([])
    write(settings, content)
    ours, theirs = lading("ps", "-q"), docker("ps", "-q")
    assert alike(ours) == theirs
    assert bool(ours.err) == (content in BROKEN)


def test_a_file_that_is_not_json_is_named(settings: Path, recorder: Recorder, lading: Run) -> None:
    recorder.answers["GET /containers/json"] = as_json([])
    path = write(settings, '{"a" 5}')
    outcome = lading("ps", "-q")
    assert outcome.code == 0
    assert outcome.err.startswith(f"WARNING: Error parsing config file ({path}): invalid character '5'")


def test_which_directory_counts(
    tmp_path: Path, recorder: Recorder, lading: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder.answers["GET /containers/json"] = as_json([])
    for name in ("flag", "lading", "docker", "home/.docker"):
        (tmp_path / name).mkdir(parents=True)
        write(tmp_path / name, {"HttpHeaders": {"X-From": name}})

    def used(*words: str) -> str:
        lading(*words, "ps", "-q")
        return recorder.take()[-1].headers["x-from"]

    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DOCKER_CONFIG")
    assert used() == "home/.docker"
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    assert used() == "docker"
    monkeypatch.setenv("LADING_CONFIG", str(tmp_path / "lading"))
    assert used() == "lading"
    assert used("--config", str(tmp_path / "flag")) == "flag"


@pytest.mark.parametrize("headers", [{"X-A": "a\r\nX-B: b"}, {"X A": "a"}, {"": "a"}, {"X:A": "a"}])
def test_headers_cannot_smuggle_others_in(headers: dict[str, str], settings: Path, lading: Run) -> None:
    write(settings, {"HttpHeaders": headers})
    outcome = lading("ps")
    assert outcome.code == 1
    assert outcome.err.startswith("net/http: invalid header field")


def test_headers_go_with_every_request(settings: Path, recorder: Recorder, lading: Run) -> None:
    write(settings, {"HttpHeaders": {"X-Meta": "5", "User-Agent": "somebody else"}})
    recorder.answers["GET /containers/json"] = as_json([])
    recorder.answers["POST /images/create"] = as_json({})
    lading("ps")
    lading("pull", "b")
    assert [call.headers["x-meta"] for call in recorder.calls] == ["5"] * len(recorder.calls)
    assert all(call.headers["user-agent"].startswith("Lading-Client/") for call in recorder.calls)


def test_formats_of_lists(settings: Path, recorder: Recorder, lading: Run) -> None:
    write(settings, {"psFormat": "p {{.ID}}", "imagesFormat": "table {{.Repository}}"})
    recorder.answers["GET /containers/json"] = as_json([{"Id": "abc", "Names": ["/n"]}])
    recorder.answers["GET /images/json"] = as_json(
        [{"Id": "i", "RepoTags": ["r:t"], "Created": 1, "Size": 2}]
    )
    assert lading("ps").out == "p abc\n"
    assert lading("ps", "--format", "{{.Names}}").out == "n\n"
    assert lading("ps", "-q").out == "abc\n"
    assert lading("images").out == "REPOSITORY\nr\n"
    assert lading("images", "-q").out == "i\n"


def test_detach_keys(settings: Path, recorder: Recorder, lading: Run) -> None:
    write(settings, {"detachKeys": "ctrl-e,e"})
    recorder.answers["GET /containers/c/json"] = as_json({})
    recorder.answers["POST /containers/c/exec"] = refusal(409, "enough")
    lading("exec", "c", "true")
    lading("exec", "--detach-keys", "x", "c", "true")
    asked = [call.json["DetachKeys"] for call in recorder.take() if call.method == "POST"]
    assert asked == ["ctrl-e,e", "x"]


@needs_docker
@pytest.mark.parametrize("words", [(), ("--filter", "until=3h"), ("--filter", "label=c")])
@pytest.mark.parametrize("kind", ["container", "image"])
def test_filters_of_what_is_removed(
    kind: str, words: tuple[str, ...], settings: Path, recorder: Recorder, docker: Run, lading: Run
) -> None:
    write(settings, {"pruneFilters": ["until=5h", "label!=keep" if "label=c" in words else "no filter"]})
    recorder.answers[f"POST /{kind}s/prune"] = as_json({})
    asked = []
    for run in (docker, lading):
        assert run(kind, "prune", "-f", *words).code == 0
        asked.append(recorder.take()[-1].query)
    assert asked[1] == asked[0]
    assert "5h" in asked[1]["filters"][0]


@pytest.mark.parametrize(
    ("words", "filters"),
    [
        ((), {"label": {"a": True}, "label!": {"keep": True}}),
        (("--filter", "label=keep"), {"label": {"a": True, "keep": True}}),
        (("--filter", "label!=a"), {"label!": {"a": True, "keep": True}}),
    ],
)
def test_what_the_settings_keep_is_kept(
    words: tuple[str, ...], filters: Any, settings: Path, recorder: Recorder, lading: Run
) -> None:
    """Docker 28 forgets of labels in its settings unless there are some on the command line."""
    write(settings, {"pruneFilters": ["label=a", "label!=keep"]})
    recorder.answers["POST /containers/prune"] = as_json({})
    lading("container", "prune", "-f", *words)
    assert json.loads(recorder.take()[-1].query["filters"][0]) == filters


@needs_docker
def test_proxies_reach_containers_as_with_docker(
    settings: Path, recorder: Recorder, docker: Run, lading: Run
) -> None:
    everything = {name: name for name in ("httpProxy", "httpsProxy", "noProxy", "ftpProxy", "allProxy")}
    write(settings, {"proxies": {"default": everything, recorder.host: {"httpProxy": "here"}}})

    def environment(run: Run, *words: str) -> set[str]:
        assert run("create", *words, "b").code == 0
        return set(recorder.take()[-1].json["Env"])

    assert environment(lading) == environment(docker) == {"HTTP_PROXY=here", "http_proxy=here"}
    write(settings, {"proxies": {"default": everything}})
    words = ("-e", "http_proxy=", "-e", "FTP_PROXY", "-e", "A=1")
    assert environment(lading, *words) == environment(docker, *words)


def test_what_is_quick_stays_quick_with_settings(settings: Path, recorder: Recorder) -> None:
    write(settings, {"auths": {"x": {"auth": "YTpi"}}, "proxies": {"default": {"httpProxy": "p"}}})
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2] / 'src')!r});"
        f"from lading.cli import main; main(['-H', {recorder.host!r}, 'create', 'b']);"
        "sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    imported = set(done.stderr.split())
    assert "lading.cli.config.file" in imported
    assert imported.isdisjoint({"json", "re", "base64", "subprocess", "tempfile", "shutil", "typing"})


# --- writing


def _set(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda members: members.__setitem__(name, value)


def test_a_new_file_is_its_owners_alone(settings: Path) -> None:
    config = ConfigFile(str(settings / "config.json"))
    config.change(_set("credsStore", "x"))
    assert (settings / "config.json").stat().st_mode & 0o777 == 0o600
    assert settings.stat().st_mode & 0o777 == 0o700
    assert (settings / "config.json").read_text() == '{\n\t"auths": {},\n\t"credsStore": "x"\n}'
    assert os.listdir(settings) == ["config.json"]


def test_what_is_not_ours_stays(settings: Path) -> None:
    there = {"zeta": [1, {"b": "ü<&"}], "currentContext": "far", "auths": {"x": {"auth": "YTpi", "own": 1}}}
    path = write(settings, there)
    path.chmod(0o640)
    ConfigFile(str(path)).change(_set("psFormat", "y"))
    assert json.loads(path.read_text()) == {**there, "psFormat": "y"}
    assert list(json.loads(path.read_text())) == ["auths", "zeta", "currentContext", "psFormat"]
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_others_wrote_meanwhile_stays(settings: Path) -> None:
    path = write(settings, {})
    config = ConfigFile(str(path))
    write(settings, {"theirs": 1})
    config.change(_set("ours", 2))
    assert json.loads(path.read_text()) == {"auths": {}, "theirs": 1, "ours": 2}


def test_many_writers_lose_nothing(settings: Path) -> None:
    write(settings, {})
    script = (
        "import sys; from lading.cli.config.file import ConfigFile\n"
        "for n in range(10): ConfigFile(sys.argv[1]).change(lambda m: m.__setitem__(f'{sys.argv[2]}-{n}', n))"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script, settings / "config.json", str(number)])
        for number in range(4)
    ]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    assert len(json.loads((settings / "config.json").read_text())) == 41


@pytest.mark.parametrize("target_is_there", [True, False])
def test_a_symbolic_link_stays_one(target_is_there: bool, settings: Path, tmp_path: Path) -> None:
    settings.mkdir()
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "real.json"
    if target_is_there:
        target.write_text('{"a": 1}')
    (settings / "config.json").symlink_to(target)
    ConfigFile(str(settings / "config.json")).change(_set("b", 2))
    assert (settings / "config.json").is_symlink()
    assert json.loads(target.read_text())["b"] == 2
    assert ("a" in json.loads(target.read_text())) == target_is_there


def test_a_broken_file_is_not_written_to(settings: Path) -> None:
    path = write(settings, '{"auths": {"x": {"auth": "YTpi"}},')
    config = ConfigFile(str(path))
    with pytest.raises(CommandFailed, match="repair or remove it first"):
        config.change(_set("a", 1))
    assert path.read_text() == '{"auths": {"x": {"auth": "YTpi"}},'


def test_a_failed_write_leaves_nothing_behind(settings: Path) -> None:
    path = write(settings, {"a": 1})
    with pytest.raises(TypeError):
        ConfigFile(str(path)).change(_set("b", object()))
    assert json.loads(path.read_text()) == {"a": 1}
    assert os.listdir(settings) == ["config.json"]
