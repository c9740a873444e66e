"""Every policy over everything that every scenario renders, with a short name and with the longest that Helm admits."""

import pytest

from tests.deploy.chart import LONGEST_RELEASE, RELEASE, scenario, values_files
from tests.deploy.policies import ALWAYS, UNLESS_OVERRIDDEN, Policy


@pytest.mark.parametrize("policy", [*ALWAYS, *UNLESS_OVERRIDDEN], ids=lambda policy: policy.__name__)
@pytest.mark.parametrize("release", [RELEASE, LONGEST_RELEASE], ids=["short", "longest"])
def test_policy(policy: Policy, release: str) -> None:
    breaches = [f"{name}: {line}" for name in values_files() for line in policy(scenario(name, release))]
    assert not breaches, "\n".join(breaches)


@pytest.mark.parametrize("release", ["eu.west.calls", "no", "null"])
def test_odd_names_of_releases(release: str) -> None:
    """Helm admits dots, which a Service does not; and YAML takes some names for something else."""
    assert not [line for policy in ALWAYS for line in policy(scenario("minimal", release))]
