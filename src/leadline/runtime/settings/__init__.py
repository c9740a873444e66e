"""Settings: environment variables, read once at the start of a process, refused as a whole if one is wrong."""

from leadline.runtime.settings import (  # all of them, so that the registry of names is whole
    access_parts,
    crm_parts,
    parts,
    scale_parts,
    trace_parts,
)
from leadline.runtime.settings.errors import SettingsError
from leadline.runtime.settings.loader import Part, ProcessSettings, load
from leadline.runtime.settings.types import SecretDigest, SecretPair

__all__ = [
    "Part",
    "ProcessSettings",
    "SecretDigest",
    "SecretPair",
    "SettingsError",
    "access_parts",
    "crm_parts",
    "load",
    "parts",
    "scale_parts",
    "trace_parts",
]
