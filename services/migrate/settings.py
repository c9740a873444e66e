"""What migrate reads."""

from typing import ClassVar

from leadline.runtime.settings import ProcessSettings
from leadline.runtime.settings.parts import DatabasePart, ObservabilityPart


class MigrateSettings(ProcessSettings):
    """Settings of `python -m services.migrate`."""

    process: ClassVar[str] = "migrate"

    database: DatabasePart
    observability: ObservabilityPart
