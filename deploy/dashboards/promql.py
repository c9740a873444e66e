"""The handful of shapes that every query of the dashboards has.

PromQL of Prometheus 2.42: neither experimental functions nor native histograms.
"""

from typing import Final

NAMESPACE: Final = 'namespace="$namespace"'
CAMPAIGN: Final = 'campaign=~"$campaign"'
RATE: Final = "$__rate_interval"
RANGE: Final = "$__range"
"""All of the time that the dashboard shows."""


def select(metric: str, *where: str) -> str:
    """The series of a metric in the chosen namespace."""
    return f"{metric}{{{', '.join((NAMESPACE, *where))}}}"


def _grouped(function: str, inner: str, by: str) -> str:
    return f"{function} by ({by}) ({inner})" if by else f"{function} ({inner})"


def rate(metric: str, *where: str, by: str = "") -> str:
    """A counter's growth per second, over all pods."""
    return _grouped("sum", f"rate({select(metric, *where)}[{RATE}])", by)


def hourly(metric: str, *where: str, by: str = "") -> str:
    """A counter's growth per hour, over all pods."""
    return f"3600 * {rate(metric, *where, by=by)}"


def total(metric: str, *where: str, by: str = "") -> str:
    """A counter's growth over all of the time shown."""
    return _grouped("sum", f"increase({select(metric, *where)}[{RANGE}])", by)


def summed(metric: str, *where: str, by: str = "") -> str:
    """A gauge that each pod has for itself, added up."""
    return _grouped("sum", select(metric, *where), by)


def reading(metric: str, *where: str, by: str = "") -> str:
    """A gauge read from the database, the same on each replica: the greatest, never the sum."""
    return _grouped("max", select(metric, *where), by)


def across(metric: str, *where: str, by: str = "") -> str:
    """A gauge read from the database for each campaign, added up over campaigns."""
    labels = f"campaign, {by}" if by else "campaign"
    return _grouped("sum", f"max by ({labels}) ({select(metric, CAMPAIGN, *where)})", by)


def age(metric: str, *where: str, by: str = "") -> str:
    """Seconds since the instant that a gauge tells."""
    return f"time() - {reading(metric, *where, by=by)}"


def quantile(of: float, histogram: str, *where: str, by: str = "", window: str = RATE) -> str:
    """A quantile of a classic histogram, over all pods."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({of}, sum by ({labels}) (rate({select(histogram + '_bucket', *where)}[{window}])))"


def within(seconds: float, histogram: str, *where: str, window: str = RATE) -> str:
    """The share of what a histogram saw that took no longer; `seconds` must be one of its edges."""
    edge = f'le=~"{seconds:g}([.]0)?"'
    part = f"sum (rate({select(histogram + '_bucket', *where, edge)}[{window}]))"
    return share(part, f"sum (rate({select(histogram + '_count', *where)}[{window}]))")


def share(part: str, whole: str) -> str:
    """Part of whole; nothing while the whole is zero."""
    return f"{part} / ({whole} > 0)"


def or_zero(expression: str) -> str:
    """Zero where a counter was never counted. Not for gauges: their absence means something."""
    return f"{expression} or vector(0)"


def or_none(expression: str, label: str, word: str = "none") -> str:
    """One series at zero that says `none`, where no series was ever counted."""
    return f'{expression} or on () label_replace(vector(0), "{label}", "{word}", "", "")'
