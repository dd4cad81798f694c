"""Log options: docker's rules, docker's words."""

import json

import pytest

from lading.errors import InvalidParameter
from lading.logs import LogFacts, check_log_config, open_sink
from lading.schema.container import LogConfig

FACTS = LogFacts(
    container_id="0123456789abcdef" * 4,
    name="/web",
    image_id="sha256:" + "fedcba9876543210" * 4,
    image_name="shop:1",
    command=["sh", "-c", "true"],
    env=["PATH=/bin", "TIER=front", "EMPTY="],
    labels={"team": "a&b", "zone": "north"},
)


@pytest.mark.parametrize(
    ("driver", "options", "words"),
    [
        ("nowhere", {}, "logger: no log driver named 'nowhere' is registered"),
        ("json-file", {"foo": "1"}, "unknown log opt 'foo' for json-file log driver"),
        ("local", {"foo": "1"}, "unknown log opt 'foo' for log driver local"),
        ("json-file", {"max-size": "much"}, "invalid size: 'much'"),
        ("json-file", {"max-size": "0"}, "max-size must be a positive number"),
        ("json-file", {"max-file": "0"}, "max-file cannot be less than 1"),
        ("json-file", {"max-file": "two"}, 'strconv.Atoi: parsing "two": invalid syntax'),
        ("json-file", {"compress": "maybe"}, 'strconv.ParseBool: parsing "maybe": invalid syntax'),
        (
            "json-file",
            {"compress": "true", "max-file": "3"},
            "compress cannot be true when max-file is less than 2 or max-size is not set",
        ),
        ("local", {"max-size": "x"}, "invalid value for max-size: x: invalid size: 'x'"),
        ("local", {"max-file": "1"}, "compression cannot be enabled when max file count is 1"),
        ("json-file", {"mode": "later"}, "logger: logging mode not supported: later"),
        (
            "json-file",
            {"max-buffer-size": "1m"},
            "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
        ),
    ],
)
def test_bad_options_are_refused_in_dockers_words(driver: str, options: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        check_log_config(LogConfig(type=driver, config=options))
    assert caught.value.message == words


def test_none_takes_any_option_as_docker_does() -> None:
    check_log_config(LogConfig(type="none", config={"max-size": "10m"}))


@pytest.mark.parametrize(
    ("driver", "options", "limits"),
    [
        ("json-file", {}, (0, 1, False)),
        ("json-file", {"max-size": "10m", "max-file": "3", "compress": "true"}, (10_000_000, 3, True)),
        ("json-file", {"max-size": "1.5k"}, (1500, 1, False)),
        ("local", {}, (20 * 1024 * 1024, 5, True)),
        ("local", {"max-file": "1", "compress": "false"}, (20 * 1024 * 1024, 1, False)),
    ],
)
def test_limits(
    driver: str,
    options: dict[str, str],
    limits: tuple[int, int, bool],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    sink = open_sink(LogConfig(type=driver, config=options), str(tmp_path_factory.mktemp("c")), FACTS)
    assert (sink["max_size"], sink["max_file"], sink["compress"]) == limits


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {}),
        ({"labels": "team,missing"}, {"team": "a&b"}),
        ({"labels-regex": "^z"}, {"zone": "north"}),
        ({"env": "TIER,EMPTY,NONE"}, {"TIER": "front", "EMPTY": ""}),
        ({"env-regex": "^T"}, {"TIER": "front"}),
        ({"tag": "{{.Name}}/{{ .ID }}"}, {"tag": "web/0123456789ab"}),
        ({"tag": "{{.ImageName}} {{.ImageID}} {{.Command}}"}, {"tag": "shop:1 fedcba987654 sh -c true"}),
    ],
)
def test_attributes(
    options: dict[str, str], expected: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = str(tmp_path_factory.mktemp("c"))
    sink = open_sink(LogConfig(type="json-file", config=options), directory, FACTS)
    assert json.loads(sink["attrs"] or "{}") == expected


def test_attributes_are_spelled_as_go_spells_them(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = str(tmp_path_factory.mktemp("c"))
    options = {"labels": "zone,team"}
    assert open_sink(LogConfig(type="json-file", config=options), directory, FACTS)["attrs"] == (
        '{"team":"a\\u0026b","zone":"north"}'
    )


@pytest.mark.parametrize("options", [{"tag": "{{.Nam}}"}, {"labels-regex": "("}])
def test_what_cannot_be_worked_out_fails_the_start(
    options: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.raises(InvalidParameter, match="failed to initialize logging driver: "):
        open_sink(LogConfig(type="json-file", config=options), str(tmp_path_factory.mktemp("c")), FACTS)
