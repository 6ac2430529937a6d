"""The consumer views as Dagster shows them: what they are made of, what their columns mean.

Here belongs their declaration. Nothing is materialised: a view is computed when it is asked for.
"""

from collections.abc import Sequence

import dagster as dg

from overwatch_assets.assets import OWNERS
from overwatch_assets.data_dictionary import NEVER, Described, described_view
from overwatch_assets.registry import DERIVED_VIEWS, VIEWS
from overwatch_assets.view import DAY_COLUMNS, DerivedView, View

GROUP = "presentation"


def view_assets() -> Sequence[dg.AssetSpec]:
    """An asset per view."""
    return [_asset_of(view) for view in (*VIEWS, *DERIVED_VIEWS)]


def _asset_of(view: View | DerivedView) -> dg.AssetSpec:
    tables = (view.table,) if isinstance(view, View) else view.tables
    lineage = {"dagster/column_lineage": _lineage(view)} if isinstance(view, View) else {}
    columns = [_column(each) for each in described_view(view)]
    return dg.AssetSpec(
        view.name,
        deps=list(tables),
        group_name=GROUP,
        kinds={"view"},
        owners=OWNERS,
        description=view.doc,
        metadata={"dagster/column_schema": dg.TableSchema(columns=columns), **lineage},
    )


def _column(told: Described) -> dg.TableColumn:
    is_always_there = told.null == NEVER
    return dg.TableColumn(
        name=told.name,
        type=told.type,
        description=told.meaning,
        constraints=dg.TableColumnConstraints(nullable=not is_always_there),
        tags={"unit": told.unit.replace(" ", "_")} if told.unit else {},
    )


def _lineage(view: View) -> dg.TableColumnLineage:
    """Columns that a view shows as its table stores them."""
    made = {each.name for each in DAY_COLUMNS} | set(view.per_day.amounts) if view.per_day else ()
    return dg.TableColumnLineage(
        deps_by_column={
            told.name: [dg.TableColumnDep(dg.AssetKey(view.table), told.name)]
            for told in described_view(view)
            if told.name not in made
        }
    )
