"""The API's reference: OpenAPI that says what is really sent, and the same as values for a page without scripts.

Comes in: FastAPI's OpenAPI. Goes out: OpenAPI with problem details as they are, and rows for the `/docs` page. Does
not know: the bot.
"""

from __future__ import annotations

import json
from typing import Any

from bot.faces.problems import MEDIA

REPLY = {
    "kind": "answer",
    "claims": [
        {
            "text": "Men have mammary gland tissue.",
            "source": "human-lactation#milk-production-in-unusual-circumstances",
            "citation": 1,
            "introduces": [],
        }
    ],
    "citations": [
        {
            "number": 1,
            "passage": "human-lactation#milk-production-in-unusual-circumstances",
            "document": "human-lactation",
            "title": "How human lactation works",
            "headings": ["Milk production in unusual circumstances"],
            "page": None,
            "quote": "Men have mammary gland tissue.",
            "start": 2310,
            "end": 2340,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "publisher": "Milkwise project",
            "reviewed": None,
            "labels": [
                "Milk production in unusual circumstances",
                "Milkwise project · not yet reviewed by a clinician",
            ],
            "url": "/documents/human-lactation?from=2310&to=2340#quote",
        }
    ],
    "disclaimer": {
        "id": "medical-information",
        "version": "1",
        "locale": "en",
        "text": "This is an automated assistant (AI). It quotes health documents. It does not give medical advice.",
    },
    "contacts": [],
    "suggestions": ["How is milk made?"],
    "unanswered": [],
    "query": "Can men produce milk?",
    "topic": "milk production in men",
    "reason": "covered",
    "confidence": 0.97,
    "index": "3f1c9a",
    "ms": 14.2,
}
STREAM = (
    f": {REPLY['disclaimer']['text']}\n"  # type: ignore[index]  # a literal, see above
    f"event: claim\ndata: {json.dumps(REPLY['claims'][0])}\n\n"  # type: ignore[index]  # a literal, see above
    f"event: reply\ndata: {json.dumps(REPLY)}\n\n"
)
_METHODS = ("get", "post", "put", "patch", "delete")


def honest(openapi: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI with its faults under the media type they are sent with and its example whole; changes it in place."""
    for path in openapi["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                if status[0] in "45" and "application/json" in content:
                    content[MEDIA] = content.pop("application/json")
    # FastAPI leaves every null out of an example, and the contract's nulls are part of it.
    openapi["paths"]["/v1/ask"]["post"]["responses"]["200"]["content"]["application/json"]["example"] = REPLY
    return openapi


def describe(openapi: dict[str, Any]) -> dict[str, Any]:
    """Routes and schemas as rows for the page."""
    schemas = openapi["components"]["schemas"]
    routes = [
        {
            "method": method.upper(),
            "path": path,
            "about": operation.get("description", operation.get("summary", "")),
            "examples": _examples(operation, schemas),
            "reply": _reply(operation),
            "responses": [
                (status, response["description"], _schema_of(response))
                for status, response in operation["responses"].items()
            ],
        }
        for path, item in openapi["paths"].items()
        for method, operation in item.items()
        if method in _METHODS
    ]
    tables = [
        {
            "name": name,
            "about": schema.get("description", ""),
            "fields": [
                (field, _type(spec), field in schema.get("required", ()), spec.get("description", ""))
                for field, spec in schema.get("properties", {}).items()
            ],
        }
        for name, schema in schemas.items()
    ]
    return {"title": "API", "routes": routes, "schemas": tables}


def _examples(operation: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return [json.dumps(example, indent=2) for example in schemas.get(name, {}).get("examples", [])]


def _reply(operation: dict[str, Any]) -> str:
    content = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
    return json.dumps(content["example"], indent=2, ensure_ascii=False) if "example" in content else ""


def _schema_of(response: dict[str, Any]) -> str:
    content: dict[str, Any] = next(iter(response.get("content", {}).values()), {})
    return str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2]


def _type(spec: dict[str, Any]) -> str:
    """A field's type in words: "list of TurnBody", "string or null"."""
    if "$ref" in spec:
        return str(spec["$ref"]).rpartition("/")[2]
    if "anyOf" in spec:
        return " or ".join(_type(one) for one in spec["anyOf"])
    if "enum" in spec:
        return " | ".join(map(str, spec["enum"]))
    if spec.get("type") == "array":
        return f"list of {_type(spec.get('items', {}))}"
    return str(spec.get("type", "any"))
