"""Go templates: what they print, how they fail, and that nothing else ever happens."""

import json
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli.conftest import Outcome, needs_docker
from tests.cli.recorder import Recorder, as_json

from lading.cli.template import Template, TemplateError
from lading.cli.template.printf import quote, sprintf

VALUE: dict[str, Any] = {
    "A": {"B": [1, 2, {"c": "x"}], "S": "hello world", "N": None, "F": 1.5, "T": True, "E": []},
    "L": {"a": "1", "b": "2"},
    "Id": "sha256:0123",
}


def render(source: str) -> str:
    return Template(source).render(VALUE)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("plain", "plain"),
        ("{{.A.S}}", "hello world"),
        ("{{.A.B}} {{.L}} {{.A.T}} {{.A.F}}", "[1 2 map[c:x]] map[a:1 b:2] true 1.5"),
        ("{{json .L}}", '{"a":"1","b":"2"}'),
        ("{{.A.N}}", "<no value>"),
        ("{{range $k, $v := .L}}{{$k}}={{$v}},{{end}}", "a=1,b=2,"),
        ("{{range .A.B}}{{.}};{{end}}", "1;2;map[c:x];"),
        ("{{range .A.E}}x{{else}}none{{end}}", "none"),
        ("{{range .A.B}}{{if eq . 2}}{{break}}{{end}}{{.}}{{end}}", "1"),
        ("{{range 3}}{{if eq . 1}}{{continue}}{{end}}{{.}}{{end}}", "02"),
        ('{{if eq .A.S "x"}}1{{else if .A.T}}2{{else}}3{{end}}', "2"),
        ("{{if and .A.T (not .A.N)}}yes{{end}}", "yes"),
        ("{{with .A.F}}{{.}}{{else}}none{{end}}", "1.5"),
        ("{{with .A.N}}{{.}}{{else with .L}}{{.a}}{{end}}", "1"),
        ("{{$x := 5}}{{if true}}{{$x = 6}}{{$y := 7}}{{$y}}{{end}}{{$x}}", "76"),
        ("{{$.A.F}} {{range .A.E}}{{else}}{{$.Id}}{{end}}", "1.5 sha256:0123"),
        ("a {{- /* note */ -}} b", "ab"),
        ("a{{/* note */}}b", "ab"),
        ("a {{- .A.F -}} b {{ .A.F }} c", "a1.5b 1.5 c"),
        ("{{(index .A.B 2).c}}", "x"),
        ('{{index .L "b"}} {{index .A.B 0}} {{index .L "none"}}|', "2 1 |"),
        ('{{.A.S | upper | printf "%s-%q" "x"}}', 'x-"HELLO WORLD"'),
        ('{{join (split .A.S " ") "-"}} {{title .A.S}} {{lower "ABC"}}', "hello-world Hello World abc"),
        ('{{pad "x" 2 1}}|{{truncate .A.S 4}}|{{slice .Id 7 11}}', "  x |hell|0123"),
        ('{{println 1 2 "a"}}{{print 1 2 "a" "b" 3}}', "1 2 a\n1 2a b3".replace("a b", "ab")),
        ("{{len .L}} {{len .A.S}} {{len .A.B}}", "2 11 3"),
        ('{{eq 1 2 1}} {{ne "a" "b"}} {{lt 1 2}} {{le 2 2}} {{gt 1.5 1.0}}', "true true true true true"),
        ('{{or 0 "" "x"}} {{and 1 0 "x"}}', "x 0"),
        ("{{\"a\\tb\"}} {{`raw\\t`}} {{'c'}} {{0x10}} {{-3}} {{1e3}}", "a\tb raw\\t 99 16 -3 1000"),
        ('{{printf "%05d|%-4s|%4s|%.2f|%x|%t|%v|%%" 42 "a" "b" .A.F 255 true .A.B}}',
         "00042|a   |   b|1.50|ff|true|[1 2 map[c:x]]|%"),
        ('{{printf "%d %s" "x"}} {{printf "a" 1}}', "%!d(string=x) %!s(MISSING) a%!(EXTRA int=1)"),
        ('{{html "<a>"}} {{urlquery "a b&c"}} {{js "it\'s"}}', "&lt;a&gt; a+b%26c it\\'s"),
    ],
)  # fmt: skip
def test_what_templates_print(source: str, text: str) -> None:
    assert render(source) == text


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{.Foo}}", 'template: :1:2: executing "" at <.Foo>: map has no entry for key "Foo"'),
        ("{{.A.Foo}}", 'template: :1:4: executing "" at <.A.Foo>: map has no entry for key "Foo"'),
        (
            "\n{{.A.S.Foo}}",
            'template: :2:4: executing "" at <.A.S.Foo>: can\'t evaluate field Foo in type interface {}',
        ),
        ("{{foo}}", 'template: :1: function "foo" not defined'),
        ("{{.A", "template: :1: unclosed action"),
        ("{{if .A}}", "template: :1: unexpected EOF"),
        ("{{end}}", "template: :1: unexpected {{end}}"),
        ("{{if}}x{{end}}", "template: :1: missing value for if"),
        ("{{}}", "template: :1: missing value for command"),
        ("{{$y}}", 'template: :1: undefined variable "$y"'),
        ('{{"a}}', "template: :1: unterminated quoted string"),
        ("{{(1}}", "template: :1: unclosed left paren"),
        ("{{1 | 2}}", "template: :1: non executable command in pipeline stage 2"),
        ("{{break}}", "template: :1: {{break}} outside {{range}}"),
        ("{{/* x}}", "template: :1: unclosed comment"),
        (
            "{{range .A.S}}{{end}}",
            'template: :1:8: executing "" at <.A.S>: range can\'t iterate over hello world',
        ),
        ("{{.A.S 1}}", 'template: :1:4: executing "" at <.A.S>: S is not a method but has arguments'),
    ],
)
def test_how_templates_fail(source: str, message: str) -> None:
    with pytest.raises(TemplateError) as raised:
        render(source)
    assert raised.value.message == message


CASES = Path(__file__).with_name("template_cases.txt").read_text().splitlines()
_INSPECTED = {
    "Id": "ab" * 32,
    "Name": "/web",
    "State": {"Status": "running", "Running": True, "Pid": 5},
    "Config": {"Env": ["A=1", "B=2"], "Cmd": ["sh"], "Labels": {"a": "1", "b": "2"}},
}


@needs_docker
@pytest.mark.parametrize("source", CASES)
def test_same_as_docker(
    source: str, recorder: Recorder, docker: Callable[..., Outcome], lading: Callable[..., Outcome]
) -> None:
    recorder.answers["GET /containers/web/json"] = as_json(_INSPECTED)
    expected = docker("inspect", "--type", "container", "-f", source, "web")
    assert lading("inspect", "--type", "container", "-f", source, "web") == expected


@given(st.text())
def test_text_without_actions_stands_for_itself(text: str) -> None:
    text = text.replace("{{", "")
    assert Template(text).render(None) == text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(_JSON)
def test_json_gives_the_value_back(value: Any) -> None:
    assert json.loads(Template("{{json .}}").render(value)) == value


_PIECES = st.sampled_from(
    [
        *(
            "{{",
            "}}",
            "{{-",
            "-}}",
            " ",
            "\n",
            "|",
            "(",
            ")",
            ".",
            ",",
            ":=",
            "=",
            "$x",
            "$",
            "x",
            '"a"',
            "`b`",
        ),
        *(
            "'c'",
            "/*",
            "*/",
            ".A",
            ".A.B",
            ".L.a",
            "if",
            "else",
            "end",
            "range",
            "with",
            "nil",
            "true",
            "break",
        ),
        *(
            "1",
            "-1",
            "1.5",
            "0x",
            "eq",
            "len",
            "index",
            "printf",
            '"%d"',
            "json",
            "split",
            "not",
            "and",
            "é",
            "%",
        ),
    ]
)


@given(st.lists(_PIECES, max_size=25).map("".join))
def test_any_template_prints_or_complains(source: str) -> None:
    try:
        render(source)
    except TemplateError as error:
        complaint = error.message
    else:
        return
    assert complaint.startswith("template: :")


@given(st.text(alphabet=string.printable))
def test_quoted_strings_are_read_back(text: str) -> None:
    assert Template("{{" + quote(text) + "}}").render(None) == text


@given(st.integers(), st.integers(0, 30))
def test_decimal_numbers_keep_their_value_and_width(number: int, width: int) -> None:
    for flag in ("", "-", "0", "+"):
        text = sprintf(f"%{flag}{width}d" if width else f"%{flag}d", [number])
        assert int(text) == number
        assert len(text) >= width


@given(st.text(), st.lists(_JSON, max_size=3))
def test_printf_never_fails(template: str, values: list[Any]) -> None:
    assert isinstance(sprintf(template, values), str)


@given(st.dictionaries(st.text(alphabet=string.ascii_letters, min_size=1), st.integers(), min_size=1))
def test_ranges_go_through_mappings_in_order(mapping: dict[str, int]) -> None:
    text = Template("{{range $k, $v := .}}{{$k}}:{{$v}} {{end}}").render(mapping)
    assert re.findall(r"(\S+):(-?\d+)", text) == [(key, str(mapping[key])) for key in sorted(mapping)]
