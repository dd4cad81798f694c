"""Go's text templates, as `--format` takes them (text/template, Go 1.24).

Pure: a template and a value in, text out. The values are what JSON gives
(mappings, lists, strings, numbers, booleans, None), and records: objects whose
`field` method answers what a command's columns are called. Left out are
templates within templates (`define`, `block`, `template`), which a one-line
format has no use for.
"""

from __future__ import annotations

from lading.cli.template.errors import CallError, TemplateError
from lading.cli.template.execute import Record, Template
from lading.cli.template.functions import FUNCTIONS
from lading.cli.template.printf import quote

__all__ = ["FUNCTIONS", "CallError", "Record", "Template", "TemplateError", "quote"]
