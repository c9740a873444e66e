"""Whatever the schema admits becomes objects that keep the rules, or is refused with a sentence of ours."""

import os
import re

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.deploy import schemas
from tests.deploy.chart import Refused, render, values_files
from tests.deploy.policies import ALWAYS
from tests.deploy.values_strategy import values

_EXAMPLES = 30
"""For each scenario."""
_CI = bool(os.environ.get("CI"))
"""There the same examples come each time, and none is made smaller: that may take minutes."""
_SENTENCE = re.compile(r"- .*\.", re.DOTALL)
_RUBBISH = re.compile(r"%!|<nil>|map\[|nil pointer|error calling|interface \{\}")


@pytest.mark.parametrize("base", values_files())
@settings(
    max_examples=_EXAMPLES,
    deadline=None,
    derandomize=_CI,
    phases=[phase for phase in Phase if phase is not Phase.shrink or not _CI],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_what_the_schema_admits(base: str, data: st.DataObject) -> None:
    drawn = data.draw(values(base))
    try:
        rendered = render(drawn)
    except Refused as refused:
        if not is_ours(str(refused)):
            raise
        return
    breaches = [line for policy in ALWAYS for line in policy(rendered)]
    for version in (schemas.OLDEST, schemas.NEWEST):
        breaches += [line for document in rendered.documents for line in schemas.problems(document, version)]
    assert not breaches, "\n".join(breaches)


def is_ours(message: str) -> bool:
    """Whether a refusal reads as the chart's own sentences do."""
    head, *sentences = [line for line in message.strip().splitlines() if line.strip()]
    return (
        head == "These values cannot work:"
        and all(map(_SENTENCE.fullmatch, sentences))
        and not _RUBBISH.search(message)
    )
