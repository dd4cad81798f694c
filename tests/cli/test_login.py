"""`login` and `logout`: what is asked, what is kept where, and what docker says in the same place."""

import base64
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest
from tests.cli.conftest import DOCKER, Outcome, needs_docker
from tests.cli.recorder import Call, Recorder, as_json, refusal
from tests.cli.settings import alike, write

Run = Callable[..., Outcome]

HUB = "https://index.docker.io/v1/"
SECRET = "a-secret-nobody-may-see"
TOKEN = "an-identity-token"
# What a helper writes down of how it was called goes into the file LOG.
HELPERS = {
    "works": """
        case $1 in
        store) cat > "$LOG.store" ;;
        get) if [ "$(cat)" = x:1 ]
             then echo '{"ServerURL":"x:1","Username":"helped","Secret":"kept"}'
             else echo "credentials not found in native keychain"; exit 1
             fi ;;
        erase) cat >> "$LOG.erase" ;;
        esac""",
    "token": """cat > /dev/null; echo '{"Username":"<token>","Secret":"kept"}'""",
    "empty": """cat > /dev/null; echo "credentials not found in native keychain"; exit 1""",
    "fails": """cat > /dev/null; echo "out of order"; echo "to the user" >&2; exit 3""",
    "nameless": """cat > /dev/null; echo "no credentials server URL"; exit 1""",
}


def encoded(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture(autouse=True)
def _registry(recorder: Recorder) -> None:
    recorder.answers["POST /auth"] = as_json({"Status": "Login Succeeded"})


@pytest.fixture
def helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Credential helpers in the PATH; the prefix of the files they write."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, body in HELPERS.items():
        program = programs / f"docker-credential-{name}"
        program.write_text(f'#!/bin/sh\necho "$0 $*" >> "$LOG.calls"\n{body}\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("LOG", str(tmp_path / "helper"))
    return tmp_path / "helper"


def kept(settings: Path) -> Any:
    path = settings / "config.json"
    return json.loads(path.read_text()) if path.exists() else None


# --- side by side with docker

CASES: list[tuple[tuple[str, ...], Any]] = [
    (("login",), None),
    (("login", "-u", "a"), None),
    (("login", "-p", "b"), None),
    (("login", "-u", "a", "-p", "b"), None),
    (("login", "-u", "a", "-p", "b", "docker.io"), None),
    (("login", "-u", "a", "-p", "b", "x:1"), None),
    (("login", "-u", "a", "-p", "b", "https://x:1/v2/"), None),
    (
        ("login", "-u", "a", "-p", "b", "x:1"),
        {"auths": {"x:1": {"auth": encoded("old", "one")}}, "psFormat": "y"},
    ),
    (("login", "-u", "a", "-p", "b", "--password-stdin"), None),
    (("login", "--password-stdin"), None),
    (("login", "-u", "a", "--password-stdin"), None),
    (("login", "-u", "", "x"), None),
    (("login", "-u", "a", "-p", "", "x"), None),
    (("login", "x:1"), {"auths": {"x:1": {"auth": encoded("known", "one")}}}),
    (("login", "x:1"), {"auths": {"https://x:1/v1/": {"auth": encoded("known", "one")}}}),
    (("login",), {"auths": {HUB: {"auth": encoded("known", "one")}}}),
    (("login", "x:1"), {"auths": {"x:1": {"auth": encoded("known", ""), "identitytoken": TOKEN}}}),
    (("logout",), None),
    (("logout",), {"auths": {HUB: {"auth": encoded("a", "b")}, "x:1": {}}}),
    (("logout", "x:1"), {"auths": {"x:1": {"auth": encoded("a", "b")}, "https://x:1": {}, "y": {}}}),
    (("logout", "https://x:1/"), {"auths": {"x:1": {"auth": encoded("a", "b")}}}),
    (("logout", "never.seen"), {"auths": {"x:1": {}}}),
    *(((word, "x:1"), {"credsStore": "works"}) for word in ("login", "logout")),
    *(
        (("login", "-u", "a", "-p", SECRET, "x:1"), {member: value})
        for name in (*HELPERS, "missing")
        for member, value in (("credsStore", name), ("credHelpers", {"x:1": name}))
    ),
]


@needs_docker
@pytest.mark.parametrize(("words", "content"), CASES)
def test_same_as_docker(
    words: tuple[str, ...],
    content: Any,
    settings: Path,
    helpers: Path,
    recorder: Recorder,
    docker: Run,
    lading: Run,
) -> None:
    results = []
    for run in (docker, lading):
        if content is None:
            (settings / "config.json").unlink(missing_ok=True)
        else:
            write(settings, content)
        outcome = alike(run(*words))
        results.append((outcome, [(call.path, call.json) for call in recorder.take()], kept(settings)))
    assert results[1] == results[0]


@needs_docker
@pytest.mark.parametrize("status", [401, 500])
def test_a_refusal_is_told_as_docker_tells_it(
    status: int, settings: Path, recorder: Recorder, docker: Run, lading: Run
) -> None:
    recorder.answers["POST /auth"] = refusal(status, 'Get "https://x:1/v2/": unauthorized: no')
    assert alike(lading("login", "-u", "a", "-p", "b", "x:1")) == docker("login", "-u", "a", "-p", "b", "x:1")
    assert kept(settings) is None
    write(settings, {"auths": {"x:1": {"auth": encoded("a", "b")}}})
    ours, theirs = alike(lading("login", "x:1")), docker("login", "x:1")
    assert (ours.code, ours.err.splitlines()[:5]) == (theirs.code, theirs.err.splitlines()[:5])


# --- passwords


@pytest.mark.parametrize("given", [b"pw", b"pw\n", b"pw\r\n"])
def test_a_password_from_standard_input(
    given: bytes, settings: Path, recorder: Recorder, program: list[str]
) -> None:
    done = subprocess.run(
        [*program, "login", "-u", "me", "--password-stdin", "x:1"],
        input=given,
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"Login Succeeded\n"
    assert recorder.take()[0].json == {"username": "me", "password": "pw", "serveraddress": "x:1"}
    assert kept(settings) == {"auths": {"x:1": {"auth": encoded("me", "pw")}}}
    assert (settings / "config.json").stat().st_mode & 0o777 == 0o600


def typed(command: list[str], *answers: tuple[str, str]) -> tuple[int, str]:
    """Exit code and screen of a command that asks; `answers` are prompts and what is typed at them."""
    session = pexpect.spawn(command[0], command[1:], timeout=20, dimensions=(30, 80), encoding="utf-8")
    screen = ""
    for prompt, answer in answers:
        session.expect_exact(prompt)
        screen += session.before + session.after
        session.sendline(answer)
    session.expect(pexpect.EOF)
    session.close()
    return session.exitstatus, screen + session.before


@pytest.mark.parametrize("server", ["x:1", HUB])
def test_what_is_typed_as_password_is_not_shown(server: str, settings: Path, program: list[str]) -> None:
    code, screen = typed([*program, "login", server], ("Username: ", "me"), ("Password: ", SECRET))
    assert (code, SECRET in screen) == (0, False)
    assert screen.endswith("Login Succeeded\r\n")
    assert kept(settings)["auths"] == {server: {"auth": encoded("me", SECRET)}}


def test_docker_hub_without_a_browser(program: list[str]) -> None:
    _, screen = typed([*program, "login"], ("Username: ", "me"), ("Password: ", "pw"))
    assert "Logging in to Docker Hub with a browser is not supported" in screen
    assert "https://app.docker.com/settings" in screen


@needs_docker
@pytest.mark.parametrize(
    ("words", "content", "answers"),
    [
        (["login", "x:1"], {}, [("Username: ", "me"), ("Password: ", "pw")]),
        (["login", "x:1"], {}, [("Username: ", "")]),
        (["login", "x:1"], {}, [("Username: ", "me"), ("Password: ", "")]),
        (["login", "-u", "me", "x:1"], {}, [("Password: ", "pw")]),
        (["login", "-u", "me"], {}, [("Password: ", "pw")]),
        (["login", "-p", "pw", "x:1"], {}, [("Username: ", "me")]),
        (["login", "x:1"], {"auths": {"x:1": {"auth": encoded("me", "good")}}}, []),
        (
            ["login", "x:1"],
            {"auths": {"x:1": {"auth": encoded("me", "bad")}}},
            [("Username (me): ", ""), ("Password: ", "pw")],
        ),
    ],
)
def test_a_terminal_looks_as_with_docker(
    words: list[str],
    content: Any,
    answers: list[tuple[str, str]],
    settings: Path,
    recorder: Recorder,
    program: list[str],
) -> None:
    def auth(call: Call) -> Any:
        good = call.json["password"] != "bad"
        return as_json({"Status": "Login Succeeded"}) if good else refusal(401, "no")

    recorder.answers["POST /auth"] = auth
    results = []
    for command in ([str(DOCKER), "-H", recorder.host], program):
        write(settings, content)
        code, screen = typed([*command, *words], *answers)
        results.append((code, screen.replace("docker", "lading"), kept(settings)))
    assert results[1] == results[0]


def test_a_terminal_shows_what_is_typed_again_after_an_interrupt(program: list[str]) -> None:
    session = pexpect.spawn(
        "sh", ["-c", f"trap : INT; {' '.join(program)} login -u me x:1; stty -a"], timeout=20
    )
    session.expect_exact("Password: ")
    session.sendintr()
    session.expect_exact(" echo ")
    session.close(force=True)


# --- what the registry gives in return


def test_an_identity_token_is_kept_in_place_of_the_password(
    settings: Path, recorder: Recorder, lading: Run
) -> None:
    recorder.answers["POST /auth"] = as_json({"Status": "Login Succeeded", "IdentityToken": TOKEN})
    outcome = lading("login", "-u", "me", "-p", SECRET, "x:1")
    assert (outcome.out, "unencrypted" in outcome.err) == ("Login Succeeded\n", False)
    assert kept(settings) == {"auths": {"x:1": {"auth": encoded("me", ""), "identitytoken": TOKEN}}}


# --- helpers


def test_a_helper_gets_the_secret_and_the_file_does_not(
    settings: Path, helpers: Path, recorder: Recorder, lading: Run
) -> None:
    write(settings, {"credsStore": "works"})
    assert lading("login", "-u", "me", "-p", SECRET, "x:1").code == 0
    stored = json.loads(Path(f"{helpers}.store").read_text())
    assert stored == {"ServerURL": "x:1", "Username": "me", "Secret": SECRET}
    assert kept(settings) == {"auths": {"x:1": {}}, "credsStore": "works"}
    assert SECRET not in Path(f"{helpers}.calls").read_text()


def test_a_helper_keeps_identity_tokens(
    settings: Path, helpers: Path, recorder: Recorder, lading: Run
) -> None:
    recorder.answers["POST /auth"] = as_json({"Status": "Login Succeeded", "IdentityToken": TOKEN})
    write(settings, {"credsStore": "fails", "credHelpers": {"x:1": "works"}})
    assert lading("login", "-u", "me", "-p", SECRET, "x:1").code == 0
    stored = json.loads(Path(f"{helpers}.store").read_text())
    assert stored == {"ServerURL": "x:1", "Username": "<token>", "Secret": TOKEN}


def test_the_usual_helper_is_taken_where_nothing_is_set_up(
    settings: Path, helpers: Path, tmp_path: Path, lading: Run
) -> None:
    (tmp_path / "programs" / "docker-credential-pass").symlink_to("docker-credential-works")
    (tmp_path / "programs" / "pass").symlink_to("/bin/true")
    assert lading("login", "-u", "me", "-p", SECRET, "x:1").code == 0
    assert kept(settings) == {"auths": {"x:1": {}}, "credsStore": "pass"}


def test_logout_tells_the_helper(settings: Path, helpers: Path, lading: Run) -> None:
    write(settings, {"credsStore": "works", "auths": {"x:1": {}}})
    assert lading("logout", "x:1") == Outcome(0, "Removing login credentials for x:1\n", "")
    assert Path(f"{helpers}.erase").read_text() == "x:1http://x:1https://x:1"
    assert kept(settings) == {"auths": {}, "credsStore": "works"}


def test_a_helper_that_does_not_erase_is_told_of(settings: Path, helpers: Path, lading: Run) -> None:
    write(settings, {"credsStore": "fails", "auths": {"x:1": {}}})
    outcome = lading("logout", "x:1")
    assert "WARNING: could not erase credentials:\nx:1: error erasing credentials" in outcome.err
    assert kept(settings)["auths"] == {"x:1": {}}


def test_no_message_has_a_secret_in_it(
    settings: Path, helpers: Path, recorder: Recorder, lading: Run
) -> None:
    for name in (*HELPERS, "missing"):
        write(settings, {"credsStore": name})
        for answer in (as_json({"Status": "ok"}), refusal(401, "no"), refusal(500, "broken")):
            recorder.answers["POST /auth"] = answer
            outcome = lading("-D", "login", "-u", "me", "-p", SECRET, "x:1")
            assert SECRET not in outcome.out + outcome.err


# --- completion


@pytest.mark.parametrize("command", ["login", "logout"])
def test_registries_that_are_known_are_offered(command: str, settings: Path, lading: Run) -> None:
    write(settings, {"auths": {"x.example": {}, HUB: {}}, "credHelpers": {"y.example": "works"}})
    assert lading("__complete", command, "").out == f"{HUB}\nx.example\ny.example\n:4\n"
    assert lading("__complete", command, "x").out == "x.example\n:4\n"
    assert lading("__complete", command, "x.example", "").out == ":4\n"


# --- broken settings


def test_a_broken_file_is_not_overwritten(settings: Path, recorder: Recorder, lading: Run) -> None:
    path = write(settings, "{")
    assert lading("login", "-u", "me", "-p", "pw", "x:1").code == 1
    assert lading("logout", "x:1").code == 1
    assert path.read_text() == "{"
    assert recorder.take() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_a_place_that_cannot_be_written(settings: Path, tmp_path: Path, program: list[str]) -> None:
    settings.write_text("a file where a directory should be")
    done = subprocess.run(
        [*program, "login", "-u", "a", "-p", SECRET, "x:1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Error saving credentials: write " in done.stderr
    assert SECRET not in done.stderr
