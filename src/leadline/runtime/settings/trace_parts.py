"""Settings of traces: the standard's own variables, which operators and their tools already set for other programs."""

from typing import Annotated, ClassVar

from pydantic import Field

from leadline.runtime.settings.loader import Part
from leadline.runtime.settings.types import HttpUrl

TRACES_PATH = "/v1/traces"


class TracingPart(Part):
    """Where traces are sent. The variables are OpenTelemetry's; of the others, those of the OTLP exporter hold too."""

    prefix: ClassVar[str] = "OTEL_"

    exporter_otlp_endpoint: HttpUrl | None = Field(
        default=None,
        description="Base URL of a collector that takes OTLP over HTTP, such as `http://collector:4318`;"
        " none: nothing is traced.",
    )
    exporter_otlp_traces_endpoint: HttpUrl | None = Field(
        default=None, description="The whole URL for traces, where it is not `/v1/traces` below the base URL."
    )
    traces_sampler_arg: Annotated[float, Field(ge=0, le=1)] = Field(
        default=1.0,
        description="Share of traces that are sent. All attempts of a lead go the way of its first trace, and a caller"
        " that traces already decides for itself (the sampler is `parentbased_traceidratio`).",
    )

    @property
    def traces_url(self) -> str | None:
        """Where spans go; None: nowhere."""
        if self.exporter_otlp_traces_endpoint is not None:
            return self.exporter_otlp_traces_endpoint
        base = self.exporter_otlp_endpoint
        return None if base is None else base + TRACES_PATH
