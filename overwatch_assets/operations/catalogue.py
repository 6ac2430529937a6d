"""The tables and views of this version, for people and machines."""

from collections.abc import Mapping
from typing import Any

from overwatch_assets.data_dictionary import described_view
from overwatch_assets.module import Column, Module
from overwatch_assets.registry import DERIVED_VIEWS, MODULES, VIEWS
from overwatch_assets.view import DerivedView, View


def modules_catalogue() -> list[dict[str, Any]]:
    """Every module in id order."""
    ids = {module.table.name: module.module_id for module in MODULES}
    return [
        {
            "module_id": module.module_id,
            "name": module.name,
            "table": module.table.name,
            "layer": str(module.layer),
            "scope": str(module.scope),
            "grain": str(module.table.grain),
            "depends_on": [ids[name] for name in module.dependencies],
            "keys": ["organization_id", *module.table.keys],
            "columns": [_column(each) for each in module.table.stored_columns],
        }
        for module in sorted(MODULES, key=_module_id)
    ]


def modules_table() -> str:
    """The modules as a table in Markdown, as the README shows it."""
    rows = [("Id", "Table", "Holds", "Scope", "Made from"), ("---",) * 5]
    for module in sorted(MODULES, key=_module_id):
        made_from = ", ".join(module.dependencies) or "its source"
        holds = module.table.doc.partition("\n")[0].rstrip(".")
        rows.append(
            (str(module.module_id), f"`{module.table.name}`", holds, str(module.scope), made_from)
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def views_catalogue() -> list[dict[str, Any]]:
    """Every consumer view by name."""
    return sorted((_view(view) for view in (*VIEWS, *DERIVED_VIEWS)), key=_name)


def _view(view: View | DerivedView) -> dict[str, Any]:
    source = view.table if isinstance(view, View) else ", ".join(view.tables)
    shown = [
        {
            "name": each.name,
            "type": each.type,
            "unit": each.unit or None,
            "null": each.null or None,
            "doc": each.meaning,
            "from": each.source,
        }
        for each in described_view(view)
    ]
    return {"name": view.name, "source": source, "doc": view.doc, "columns": shown}


def _column(column: Column) -> dict[str, str]:
    return {"name": column.name, "type": str(column.dtype), "doc": column.doc}


def _module_id(module: Module) -> int:
    return module.module_id


def _name(view: Mapping[str, Any]) -> str:
    return view["name"]
