#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes sdk/python/nexa_forge/models.py, the types of what the API answers, from schemas/openapi.json.

`--check` only says whether it is current.
"""

import json
import sys
from pathlib import Path

import generated_page

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "schemas/openapi.json"
PAGE = ROOT / "sdk/python/nexa_forge/models.py"
# What the client's methods return; what these refer to comes along.
WANTED = (
    "ArtifactLineage", "ArtifactView", "BillingAccount", "BillingSummary", "BillingTrends", "BudgetView", "DeploymentView",
    "Invoice", "JobCost", "JobCostRow", "JobEstimate", "JobSubmitted", "JobView", "Refund",
)
HEAD = '''# SPDX-License-Identifier: Apache-2.0
"""What the API answers, as types. Written by tools/sdk_models.py from schemas/openapi.json.

They are plain dictionaries at run time. A server that is newer may send more members than these.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, TypedDict
'''
SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


def type_of(schema: dict) -> str:
    """The Python type of a member."""
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[1]
    if "anyOf" in schema:
        inner = next(option for option in schema["anyOf"] if option.get("type") != "null")
        return f"Optional[{type_of(inner)}]"
    kind = schema.get("type")
    if kind == "array":
        return f"List[{type_of(schema['items'])}]"
    if kind == "object":
        return f"Dict[str, {type_of(schema['additionalProperties'])}]"
    return SCALARS.get(kind, "Any")


def references(schema) -> list[str]:
    """The names of all schemas that this one names, in order."""
    if isinstance(schema, dict):
        own = [schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else []
        return own + [name for value in schema.values() for name in references(value)]
    if isinstance(schema, list):
        return [name for value in schema for name in references(value)]
    return []


def ordered(schemas: dict, names: tuple[str, ...]) -> list[str]:
    """`names` and what they refer to, each after what it needs."""
    found: list[str] = []
    for name in names:
        before = ordered(schemas, tuple(references(schemas[name])))
        found += [other for other in [*before, name] if other not in found]
    return found


def members(schema: dict, names: list[str]) -> str:
    lines = [f"    {name}: {type_of(schema['properties'][name])}" for name in names]
    return "\n".join(f"{line}  # {schema['properties'][name]['description']}" for line, name in zip(lines, names, strict=True))


def typed_dict(name: str, schema: dict) -> str:
    """One class, or two where some members may be missing: Python 3.9 has no NotRequired."""
    required = [member for member in schema["properties"] if member in schema["required"]]
    others = [member for member in schema["properties"] if member not in schema["required"]]
    if not others:
        return f"class {name}(TypedDict):\n{members(schema, required)}\n"
    base = f"class _{name}(TypedDict):\n{members(schema, required)}\n"
    return f"{base}\n\nclass {name}(_{name}, total=False):\n{members(schema, others)}\n"


def rendered(document: dict) -> str:
    schemas = document["components"]["schemas"]
    return HEAD + "".join(f"\n\n{typed_dict(name, schemas[name])}" for name in ordered(schemas, WANTED))


def main() -> int:
    options = generated_page.options(__doc__).parse_args()
    return generated_page.keep(PAGE, rendered(json.loads(SCHEMAS.read_text())), check=options.check)


if __name__ == "__main__":
    sys.exit(main())
