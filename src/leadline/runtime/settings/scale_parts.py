"""Settings of the figures that dialers are scaled by."""

from pydantic import Field

from leadline.runtime.settings.loader import Part


class ScalePart(Part):
    """How the work for dialers is counted, for autoscalers."""

    scale_lookahead_seconds: float = Field(
        default=60,
        ge=0,
        le=3600,
        description="Leads that fall due within this business time count as work: at least as long as a dialer's pod "
        "takes to start.",
    )
    scale_read_seconds: float = Field(
        default=5, ge=0.1, le=30, description="How often each queue-service counts the work for dialers."
    )
