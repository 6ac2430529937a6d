"""The tables and views of this version, for people and machines."""

from collections.abc import Mapping, Sequence
from typing import Any

from overwatch_assets.module import Column, Module
from overwatch_assets.presentation.reading import shown_columns
from overwatch_assets.registry import DERIVED_VIEWS, MODULES, TABLES, VIEWS
from overwatch_assets.view import DAY_COLUMNS


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
    tables = {table.name: table for table in TABLES}
    catalogue: list[dict[str, Any]] = []
    for view in VIEWS:
        columns = {each.name: each for each in tables[view.table].stored_columns}
        shown = [
            *(columns[name] for name in shown_columns(view, tables[view.table])),
            *(DAY_COLUMNS if view.per_day else ()),
        ]
        catalogue.append(_view(view.name, view.table, view.doc, shown))
    catalogue += [
        _view(view.name, ", ".join(view.tables), view.doc, view.columns) for view in DERIVED_VIEWS
    ]
    return sorted(catalogue, key=_name)


def _view(name: str, source: str, doc: str, columns: Sequence[Column]) -> dict[str, Any]:
    shown = [_column(each) for each in columns]
    return {"name": name, "source": source, "doc": doc, "columns": shown}


def _column(column: Column) -> dict[str, str]:
    return {"name": column.name, "type": str(column.dtype), "doc": column.doc}


def _module_id(module: Module) -> int:
    return module.module_id


def _name(view: Mapping[str, Any]) -> str:
    return view["name"]
