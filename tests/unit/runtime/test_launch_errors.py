"""What crun 1.8 to 1.21 and runc 1.1 say, and what docker's clients must hear."""

import pytest

from lading.runtime.errors import exec_error, launch_error

CREATE = "failed to create task for container: failed to create shim task: OCI runtime create failed: "
START = "unable to start container process: "


def crun(text: str) -> str:
    return f"2026-11-25T07:12:08.145405Z: {text}\n"


def runc(text: str) -> str:
    quoted = text.replace('"', '\\"')
    return (
        '{"level":"warning","msg":"cgroup: something","time":"2026-11-25T07:12:08Z"}\n'
        f'{{"level":"error","msg":"{quoted}","time":"2026-11-25T07:12:08Z"}}\n'
    )


NO_FOO = 'exec: "foo": executable file not found in $PATH'
NO_PATH = 'exec: "/foo": stat /foo: no such file or directory'
DIRECTORY = 'exec: "/etc": is a directory'
BARRED = 'exec: "/etc": permission denied'


@pytest.mark.parametrize(
    ("said", "argv0", "cause", "code"),
    [
        (crun("executable file `foo` not found in $PATH: No such file or directory"), "foo", NO_FOO, 127),
        (runc(f"runc run failed: {START}{NO_FOO}"), "foo", NO_FOO, 127),
        (crun("executable file `/foo` not found in $PATH: No such file or directory"), "/foo", NO_PATH, 127),
        (runc(f"runc run failed: {START}{NO_PATH}"), "/foo", NO_PATH, 127),
        (crun("open executable: Permission denied"), "/etc", BARRED, 126),
        (crun("open executable: Operation not permitted"), "/etc", BARRED, 126),
        (runc(f"runc run failed: {START}{BARRED}"), "/etc", BARRED, 126),
        (crun("the path `/etc` is not a regular file: Operation not permitted"), "/etc", DIRECTORY, 126),
    ],
)
def test_commands_that_cannot_start(said: str, argv0: str, cause: str, code: int) -> None:
    error = launch_error(said, argv0, "crun")
    assert error.message == f"{CREATE}runc create failed: {START}{cause}: unknown"
    assert (error.exit_code, error.status) == (code, 400)


@pytest.mark.parametrize(
    ("said", "cause", "code", "status"),
    [
        ("error stat'ing file `/a`: No such file or directory", "no such file or directory", 127, 400),
        ("writing file `/b`: Device or resource busy", "device or resource busy", 128, 500),
    ],
)
def test_other_failures_keep_the_runtimes_words(said: str, cause: str, code: int, status: int) -> None:
    error = launch_error(crun(said), "true", "crun")
    assert error.message == f"{CREATE}crun: {said.rpartition(': ')[0]}: {cause}: unknown"
    assert (error.exit_code, error.status) == (code, status)


def test_a_directory_where_a_file_belongs() -> None:
    said = f'runc run failed: {START}error during container init: error mounting "/a": not a directory'
    error = launch_error(runc(said), "true", "runc")
    assert error.exit_code == 126
    assert "Are you trying to mount a directory onto a file (or vice-versa)?" in error.message


@pytest.mark.parametrize(
    ("said", "cause", "code"),
    [
        (crun("executable file `foo` not found in $PATH: No such file or directory"), NO_FOO, 127),
        (runc(f"exec failed: {START}{NO_FOO}"), NO_FOO, 127),
        (crun("open executable: Permission denied"), 'exec: "foo": permission denied', 126),
    ],
)
def test_executing_a_command(said: str, cause: str, code: int) -> None:
    error = exec_error(said, "foo", "crun")
    assert error.message == f"OCI runtime exec failed: exec failed: {START}{cause}: unknown"
    assert error.exit_code == code


def test_a_runtime_without_words() -> None:
    assert "gave no reason" in launch_error("", "true", "crun").message
