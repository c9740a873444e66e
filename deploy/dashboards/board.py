"""A dashboard's frame: variables, links to the other three, annotations, and rows of panels on the grid of 24."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from deploy.dashboards.panels import DATASOURCE, AnyPanel
from deploy.dashboards.promql import NAMESPACE, select

TAG: Final = "leadline"
_COLUMNS: Final = 24


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading, from left to right, line by line. The first row has none."""

    title: str
    panels: Sequence[AnyPanel]


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard."""

    uid: str
    title: str
    description: str
    shows: str
    """The time shown at first, such as `now-6h`."""
    rows: Sequence[Row]

    def build(self) -> model.Dashboard:
        """The whole of it, as Grafana's model. Panels get their numbers in order."""
        board = (
            dashboard.Dashboard(self.title)
            .uid(self.uid)
            .description(self.description)
            .tags([TAG])
            .readonly()
            .tooltip(model.DashboardCursorSync.CROSSHAIR)
            .time(self.shows, "now")
            .refresh("1m")
            .timezone("browser")
            .variables([_datasource(), _namespace(), _campaign()])
            .links([_links()])
            .annotations([_releases(), _alerts()])
        )
        number = 0
        for row in self.rows:
            if row.title:
                number += 1
                board.with_row(dashboard.Row(row.title).id(number))
            for panel in row.panels:
                number += 1
                board.with_panel(panel.id(number))
        built = board.build()
        _arrange(built.panels or [])
        return built


def _arrange(panels: Sequence[model.Panel | model.RowPanel]) -> None:
    """Every panel as high up as it fits, and there as far left; a row's heading is below all before it."""
    filled = [0] * _COLUMNS
    for panel in panels:
        place = panel.grid_pos
        assert place is not None, "every panel has a size"
        if isinstance(panel, model.RowPanel):
            place.x, place.y = 0, max(filled)
            filled = [place.y + place.h] * _COLUMNS
            continue
        tops = [max(filled[x : x + place.w]) for x in range(_COLUMNS - place.w + 1)]
        place.y = min(tops)
        place.x = tops.index(place.y)
        filled[place.x : place.x + place.w] = [place.y + place.h] * place.w


def _datasource() -> dashboard.DatasourceVariable:
    return (
        dashboard.DatasourceVariable("datasource")
        .label("Data source")
        .description("The Prometheus.")
        .type("prometheus")
    )


def _namespace() -> dashboard.QueryVariable:
    """Filled from what every process tells of itself."""
    return (
        _query("namespace", "Namespace", "label_values(leadline_build_info, namespace)")
        .description("The namespace that Leadline is installed in.")
        .multi(multi=False)
    )


def _campaign() -> dashboard.QueryVariable:
    return (
        _query("campaign", "Campaign", f"label_values(leadline_campaign_paused{{{NAMESPACE}}}, campaign)")
        .description("Panels that can tell campaigns apart show these; the others show all.")
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(model.VariableOption(text=["All"], value=["$__all"], selected=True))
    )


def _query(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .query({"query": query, "refId": name})
        .datasource(DATASOURCE)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
    )


def _links() -> dashboard.DashboardLink:
    """Grafana shows the others that carry the tag, with the time and the variables kept."""
    return (
        dashboard.DashboardLink("Leadline")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(as_dropdown=False)
        .include_vars(include_vars=True)
        .keep_time(keep_time=True)
    )


def _releases() -> dashboard.AnnotationQuery:
    running = f"sum by (version) ({select('leadline_build_info')})"
    return _annotation(
        "Releases", f"{running} unless sum by (version) ({select('leadline_build_info')} offset 5m)", "blue"
    )


def _alerts() -> dashboard.AnnotationQuery:
    return _annotation("Alerts", f'ALERTS{{{NAMESPACE}, alertname=~"Leadline.*", alertstate="firing"}}', "red")


def _annotation(name: str, expression: str, colour: str) -> dashboard.AnnotationQuery:
    """Off until somebody asks for it."""
    return (
        dashboard.AnnotationQuery()
        .name(name)
        .datasource(DATASOURCE)
        .enable(enable=False)
        .icon_color(colour)
        .expr(expression)
    )
