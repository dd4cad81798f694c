"""ladingd's flags, with dockerd's names, and its configuration file."""

import argparse
import json
from collections.abc import Sequence
from typing import Any

from lading import __version__
from lading.daemon.check import check
from lading.daemon.settings import OPTIONS, Option, Settings, boolean, combine
from lading.errors import InvalidParameter
from lading.paths import DEFAULT_CONFIG_FILE


def parse(words: Sequence[str]) -> tuple[Settings, bool]:
    """Settings, and whether they are only to be validated.

    Raises InvalidParameter; exits as argparse does for --help and bad flags.
    """
    parsed = vars(_parser().parse_args(words))
    path, explicit = parsed.pop("config_file"), "config_file" in _given(words)
    validate = parsed.pop("validate")
    flags = {name: value for name, value in parsed.items() if value is not None}
    for option in OPTIONS:
        if option.mapping and option.attribute in flags:
            flags[option.attribute] = _pairs(option, flags[option.attribute])
    settings = combine(flags, read_file(path, required=explicit), path)
    settings.config_file = path
    check(settings)
    return settings, validate


def read_file(path: str, *, required: bool) -> dict[str, Any]:
    """The configuration file's object; empty where there is no such file.

    Raises InvalidParameter where it is not what it should be.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        if required:
            raise InvalidParameter(f"unable to configure the daemon with file {path}: no such file") from None
        return {}
    except OSError as error:
        raise InvalidParameter(f"unable to configure the daemon with file {path}: {error.strerror}") from None
    try:
        decoded = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise InvalidParameter(f"unable to configure the daemon with file {path}: {error}") from None
    if not isinstance(decoded, dict):
        raise InvalidParameter(f"unable to configure the daemon with file {path}: not a JSON object")
    return decoded


def _given(words: Sequence[str]) -> set[str]:
    return {word.lstrip("-").partition("=")[0].replace("-", "_") for word in words if word.startswith("--")}


def _pairs(option: Option, entries: list[str]) -> dict[str, Any]:
    pairs = {}
    for entry in entries:
        name, separator, value = entry.partition("=")
        if not separator:
            raise InvalidParameter(f"invalid argument {entry!r} for --{option.flag}: KEY=VALUE is needed")
        pairs[name] = {"path": value} if option.flag == "add-runtime" else value
    return pairs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ladingd",
        usage="ladingd [OPTIONS]",
        description="The engine: images, containers, networks and volumes behind Docker's API.",
        allow_abbrev=False,
    )
    for option in OPTIONS:
        names = [f"--{option.flag}", *([f"-{option.short}"] if option.short else [])]
        if option.flag == "data-root":
            names.append("-g")
        if option.read is boolean:
            parser.add_argument(
                *names, type=boolean, nargs="?", const=True, help=option.help, metavar="true|false"
            )
        elif option.repeated:
            parser.add_argument(*names, action="append", type=option.read, help=option.help)
        else:
            parser.add_argument(*names, type=option.read, help=option.help)
    parser.add_argument("--config-file", default=DEFAULT_CONFIG_FILE, help="Configuration file (JSON)")
    parser.add_argument("--validate", action="store_true", help="Check the configuration and exit")
    parser.add_argument("-v", "--version", action="version", version=f"Lading version {__version__}")
    return parser
