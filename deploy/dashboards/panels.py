"""The kinds of panel, dressed alike: title, description, unit, colours of series with a name of their own.

What a panel `says` of itself is what it means and what to do about it. Sizes are in Grafana's grid of 24 columns.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import (
    barchart,
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.dashboards import colours
from deploy.dashboards.thresholds import Steps
from deploy.dashboards.words import Words

NOTHING: Final = ("none", "no backfill", "the plan has none")
"""What a series is called that stands for there being none."""
DATASOURCE: Final = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
AnyPanel = stat.Panel | timeseries.Panel | bargauge.Panel | barchart.Panel | table.Panel | statetimeline.Panel
Built = TypeVar("Built", stat.Panel, timeseries.Panel, bargauge.Panel, barchart.Panel, table.Panel, statetimeline.Panel)


@dataclass(frozen=True, slots=True)
class Query:
    """One expression of a panel, and how its series are called."""

    expr: str
    legend: str = ""
    """`{{label}}` stands for a label's value; empty for the only series of a tile."""


@dataclass(frozen=True, slots=True)
class Look:
    """What every panel has."""

    title: str
    unit: str
    width: int
    height: int = 8
    steps: Steps = ()
    """From which value on which colour, above `base`."""
    base: str = colours.GOOD
    """Colour below the first threshold; of everything, if there are none."""
    decimals: int | None = None
    absent: str = "no data"
    """What is shown where there is nothing to show."""
    top: float | None = None
    """The greatest value of the scale."""


def tile(look: Look, says: str, query: Query, *, words: Words | None = None, filled: bool = False) -> stat.Panel:
    """One figure as it is now; `words` instead of numbers; `filled` colours the whole tile."""
    panel = (
        stat.Panel()
        .with_target(_target(query, 0).instant())
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(options.BigValueGraphMode.NONE)
        .color_mode(options.BigValueColorMode.BACKGROUND if filled else options.BigValueColorMode.VALUE)
        .text_mode(options.BigValueTextMode.AUTO)
        .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    )
    if words is not None:
        panel.mappings(words.mappings())
    return _dressed(panel, look, says)


def graph(
    look: Look,
    says: str,
    *queries: Query,
    stacked: bool = False,
    limits: bool = False,
    seconds: bool = False,
    palette: dict[str, str] | None = None,
) -> timeseries.Panel:
    """Lines over time. `limits` draws the thresholds; `seconds` is for durations: exemplars, and a scale of powers."""
    panel = (
        timeseries.Panel()
        .targets([_target(query, at, exemplar=seconds).range() for at, query in enumerate(queries)])
        .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
        .line_width(0 if stacked else 1.5)
        .fill_opacity(70 if stacked else 8)
        .show_points(options.VisibilityMode.NEVER if stacked else options.VisibilityMode.AUTO)
        .axis_soft_min(0)
        .legend(
            common.VizLegendOptions()
            .display_mode(options.LegendDisplayMode.LIST)
            .placement(options.LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
            .calcs([])
        )
        .tooltip(common.VizTooltipOptions().mode(options.TooltipDisplayMode.MULTI).sort(options.SortOrder.DESCENDING))
    )
    if stacked:
        panel.stacking(common.StackingConfig().mode(options.StackingMode.NORMAL).group("A"))
    if limits:
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(options.GraphThresholdsStyleMode.DASHED))
    if look.unit == "percentunit":
        panel.axis_soft_max(1.2 * max((value for value, _ in look.steps), default=0.1))
    _colour(panel, _named(queries) | (palette or {}))
    return _dressed(panel, look, says)


def bars(look: Look, says: str, *queries: Query, palette: dict[str, str] | None = None) -> bargauge.Panel:
    """One lying bar for each series, for now or over all of the time shown."""
    panel = (
        bargauge.Panel()
        .targets([_target(query, at).instant() for at, query in enumerate(queries)])
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .display_mode(options.BarGaugeDisplayMode.BASIC)
        .value_mode(options.BarGaugeValueMode.TEXT)
        .orientation(options.VizOrientation.HORIZONTAL)
        .show_unfilled(show_unfilled=False)
        .sizing(options.BarGaugeSizing.AUTO)
        .min(0)
        .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    )
    _colour(panel, palette or {})
    return _dressed(panel, look, says)


def columns(look: Look, says: str, query: Query, by: str) -> barchart.Panel:
    """A standing column for each value of the label `by`, in its order, over all of the time shown."""
    panel = (
        barchart.Panel()
        .with_target(_target(query, 0).format(PromQueryFormat.TABLE).instant())
        .transformations(
            [
                change("sortBy", {"sort": [{"field": by}]}),
                change("organize", {"excludeByName": {"Time": True}, "renameByName": {"Value": look.title}}),
            ]
        )
        .x_field(by)
        .show_value(options.VisibilityMode.ALWAYS)
        .bar_width(0.85)
        .fill_opacity(80)
        .line_width(0)
        .axis_soft_min(0)
        .legend(common.VizLegendOptions().show_legend(show_legend=False))
        .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(look.base))
    )
    return _dressed(panel, look, says)


def timeline(look: Look, says: str, query: Query, words: Words) -> statetimeline.Panel:
    """Words over time, as coloured stretches."""
    panel = (
        statetimeline.Panel()
        .with_target(_target(query, 0).range())
        .mappings(words.mappings())
        .show_value(options.VisibilityMode.AUTO)
        .row_height(0.9)
        .fill_opacity(80)
        .line_width(0)
        .legend(common.VizLegendOptions().show_legend(show_legend=False))
        .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    )
    return _dressed(panel, look, says)


def grid(look: Look, says: str, *queries: Query, changes: Iterable[model.DataTransformerConfig]) -> table.Panel:
    """A table, of queries for now or over all of the time shown."""
    panel = (
        table.Panel()
        .targets([_target(query, at).format(PromQueryFormat.TABLE).instant() for at, query in enumerate(queries)])
        .transformations(list(changes))
        .cell_height(options.TableCellHeight.SM)
        .show_header(show_header=True)
    )
    return _dressed(panel, look, says)


def judged(unit: str, steps: Steps, decimals: int | None = None) -> list[model.DynamicConfigValue]:
    """What a table's column has of its own, if it is of another unit than the rest and coloured by thresholds."""
    found = [
        model.DynamicConfigValue("unit", unit),
        model.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
        model.DynamicConfigValue("thresholds", _thresholds(colours.GOOD, steps).build()),
    ]
    return found if decimals is None else [*found, model.DynamicConfigValue("decimals", decimals)]


def change(name: str, settings: object) -> model.DataTransformerConfig:
    """One of Grafana's transformations."""
    return model.DataTransformerConfig(id_val=name, options=settings)


def _target(query: Query, at: int, *, exemplar: bool = False) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).ref_id(chr(ord("A") + at)).datasource(DATASOURCE)
    if query.legend:
        target.legend_format(query.legend)
    if exemplar:
        target.exemplar(exemplar=True)
    return target


def _dressed(panel: Built, look: Look, says: str) -> Built:
    panel.title(look.title).description(says).datasource(DATASOURCE)
    panel.span(look.width).height(look.height).unit(look.unit).no_value(look.absent)
    panel.thresholds(_thresholds(look.base, look.steps))
    if look.decimals is not None:
        panel.decimals(look.decimals)
    if look.top is not None:
        panel.max(look.top)
    return panel


def _thresholds(base: str, steps: Steps) -> dashboard.ThresholdsConfig:
    above = [model.Threshold(value=value, color=colour) for value, colour in steps]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps([model.Threshold(None, base), *above])


def _named(queries: Iterable[Query]) -> dict[str, str]:
    names = {query.legend for query in queries}
    named = {name: colour for name, colour in colours.ALL.items() if name in names}
    if "{{app_kubernetes_io_component}}" in names:
        named |= colours.SERVICES
    return named | {word: colours.NEUTRAL for word in NOTHING if any(f'"{word}"' in query.expr for query in queries)}


def _colour(panel: timeseries.Panel | bargauge.Panel, palette: dict[str, str]) -> None:
    for name, colour in palette.items():
        panel.override_by_name(name, [model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})])
