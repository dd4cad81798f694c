"""The part of YAML that programs write."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.oci.plain_yaml import parse

AS_TOOLKITS_WRITE_IT = """\
---
cdiVersion: 0.5.0
containerEdits:
  deviceNodes:
  - path: /dev/nvidia-modeset
  - path: /dev/nvidiactl
    fileMode: 0666   # everybody
  env:
  - NVIDIA_VISIBLE_DEVICES=void
  hooks:
  - args:
    - nvidia-cdi-hook
    - --link
    - ../libcuda.so::/usr/lib/libcuda.so
    hookName: createContainer
    path: /usr/bin/nvidia-cdi-hook
devices:
- containerEdits:
    deviceNodes:
    - path: /dev/nvidia0
      major: 195
  name: "0"
-
  name: 'it''s all'
  annotations: {}
  more: [ro, nosuid]
kind: nvidia.com/gpu
"""


def test_as_toolkits_write_it() -> None:
    assert parse(AS_TOOLKITS_WRITE_IT) == {
        "cdiVersion": "0.5.0",
        "containerEdits": {
            "deviceNodes": [{"path": "/dev/nvidia-modeset"}, {"path": "/dev/nvidiactl", "fileMode": 0o666}],
            "env": ["NVIDIA_VISIBLE_DEVICES=void"],
            "hooks": [
                {
                    "args": ["nvidia-cdi-hook", "--link", "../libcuda.so::/usr/lib/libcuda.so"],
                    "hookName": "createContainer",
                    "path": "/usr/bin/nvidia-cdi-hook",
                }
            ],
        },
        "devices": [
            {"containerEdits": {"deviceNodes": [{"path": "/dev/nvidia0", "major": 195}]}, "name": "0"},
            {"name": "it's all", "annotations": {}, "more": ["ro", "nosuid"]},
        ],
        "kind": "nvidia.com/gpu",
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing\n", None),
        ("a: 1", {"a": 1}),
        ("a:", {"a": None}),
        ("a: yes # no", {"a": "yes"}),
        ('"a b": "c\\n#d" # e', {"a b": "c\n#d"}),
        ("a:\n- 1\n- true\nb: x", {"a": [1, True], "b": "x"}),
        ("- a: 1\n  b: 2\n- - 3\n  - 4", [{"a": 1, "b": 2}, [3, 4]]),
        ('{"json": [1, "x"]}', {"json": [1, "x"]}),
        ('{\n"a":\n1}', {"a": 1}),
        ("url: http://x/y#z", {"url": "http://x/y#z"}),
    ],
)
def test_values(text: str, value: Any) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1",
        "a: *x",
        "a: !!str 1",
        "a: |\n  x",
        "\ta: 1",
        "a: 1\n b: 2",
        "a: 1\na: 2",
        "a: [b: c]",
        "a: 'b",
    ],
)
def test_what_is_not_understood(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


@given(st.text(alphabet="ab:-# \n'\"[]{}0,", max_size=40))
def test_whatever_comes_is_a_value_or_an_error(text: str) -> None:
    try:
        parse(text)
    except ValueError:
        pass
