"""Write schema/*.schema.json from the models: `python tools/update_schema.py`."""

from __future__ import annotations

from pathlib import Path

from newsletter.content.schema import issue_schema, publication_schema, schema_text

FOLDER = Path(__file__).resolve().parent.parent / "schema"


def main() -> None:
    """Write both files and name them."""
    FOLDER.mkdir(exist_ok=True)
    for name, schema in (("issue", issue_schema()), ("newsletter", publication_schema())):
        path = FOLDER / f"{name}.schema.json"
        path.write_text(schema_text(schema), encoding="utf-8")
        print(path.relative_to(FOLDER.parent))


if __name__ == "__main__":
    main()
