"""Campaigns as the processes use them: the plain settings make `awhealth`, a YAML file makes others or overrides it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from leadline.contracts.campaign_file import DEFAULT_TASK, CampaignEntry, CampaignsError, DiallingSettings
from leadline.contracts.campaign_yaml import read_campaigns_file
from leadline.contracts.plain_settings import PlainCadence, PlainCalling, PlainDialling
from leadline.domain.campaign import Campaign
from leadline.domain.errors import InvalidRule
from leadline.domain.ids import CampaignName
from leadline.domain.rules.hours import parse_calling_hours

__all__ = [
    "DEFAULT_CAMPAIGN",
    "CampaignConfig",
    "CampaignsError",
    "DiallingSettings",
    "load_campaigns",
]

DEFAULT_CAMPAIGN: Final = CampaignName("awhealth")
_SCRIPT_KEYS: Final = frozenset({"pathway_id", "pathway_version", "start_node_id", "task"})


_UNION_STEPS: Final = frozenset({"[key]", "int", "literal['production','staging']"})
"""Steps of pydantic's locations that are no keys of the file."""


@dataclass(frozen=True, slots=True)
class CampaignConfig:
    """One campaign: its rules, and how it dials."""

    rules: Campaign
    dialling: DiallingSettings


_SETTINGS_BY_KEY: Final[Mapping[str, str]] = {
    "hours": "LEADLINE_CALLING_HOURS",
    "timezone": "LEADLINE_CALLING_TIMEZONE",
    "blackout_dates": "LEADLINE_BLACKOUT_DATES",
    "cadence_minutes": "REDIAL_PROGRESSIVE_INTERVALS",
    "max_attempts": "REDIAL_MAX_ATTEMPTS",
    "max_daily_attempts": "REDIAL_MAX_DAILY_ATTEMPTS",
    "final_outcomes": "REDIAL_SUCCESS_OUTCOMES",
    "legal_profile": "LEADLINE_LEGAL_PROFILE",
    "number_spacing_seconds": "LEADLINE_NUMBER_SPACING_SECONDS",
    "transfer_rest_minutes": "LEADLINE_TRANSFER_REST_MINUTES",
    "outcome_names": "LEADLINE_OUTCOME_NAMES",
    "bland.pathway_id": "LEADLINE_BLAND_PATHWAY_ID",
    "bland.task": "LEADLINE_BLAND_TASK",
    "bland.from": "LEADLINE_BLAND_FROM",
    "bland.voicemail.message": "LEADLINE_BLAND_VOICEMAIL_MESSAGE",
    "bland.dispositions": "LEADLINE_BLAND_DISPOSITIONS",
    "bland.max_duration_minutes": "LEADLINE_BLAND_MAX_DURATION_MINUTES",
}


def load_campaigns(
    cadence: PlainCadence, calling: PlainCalling, dialling: PlainDialling, campaigns_file: Path | None = None
) -> dict[CampaignName, CampaignConfig]:
    """All campaigns by name; `awhealth` is always among them.

    Raises:
        CampaignsError: one line that names the file, the campaign and the key, or the setting.
    """
    plain = _plain_entry(cadence, calling, dialling)
    campaigns = {DEFAULT_CAMPAIGN: _config(plain, {}, _Place(None, DEFAULT_CAMPAIGN))}
    if campaigns_file is None:
        return campaigns
    named: set[str] = set()
    for number, item in enumerate(read_campaigns_file(campaigns_file), start=1):
        place = _Place(campaigns_file, _name_of(item, number))
        config = _config(plain, item, place)
        if config.rules.name in named:
            raise place.error("name", "stands in the file twice")
        named.add(config.rules.name)
        campaigns[config.rules.name] = config
    return campaigns


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value came from, for error lines."""

    file: Path | None
    campaign: str

    def error(self, key: str, problem: str) -> CampaignsError:
        if self.file is not None:
            return CampaignsError(f"{self.file}: campaign {self.campaign}, {key}: {problem}")
        return CampaignsError(f"{_setting_of(key) or f'campaign {self.campaign}, {key}'}: {problem}")


def _setting_of(key: str) -> str | None:
    """The setting behind a key; behind `final_outcomes.0` stands the setting of `final_outcomes`."""
    for setting_key, setting in _SETTINGS_BY_KEY.items():
        if key == setting_key or key.startswith(f"{setting_key}."):
            return setting + key.removeprefix(setting_key).replace(".", " ")
    return None


def _plain_entry(cadence: PlainCadence, calling: PlainCalling, dialling: PlainDialling) -> dict[str, Any]:
    bland: dict[str, Any] = {
        "pathway_id": dialling.bland_pathway_id,
        "task": dialling.bland_task,
        "from": dialling.bland_from,
        "dispositions": tuple(dialling.bland_dispositions),
        "max_duration_minutes": dialling.bland_max_duration_minutes,
    }
    if dialling.bland_voicemail_message:
        bland["voicemail"] = {"message": dialling.bland_voicemail_message}
    return {
        "name": DEFAULT_CAMPAIGN,
        "hours": calling.calling_hours,
        "timezone": calling.calling_timezone,
        "blackout_dates": tuple(calling.blackout_dates),
        "cadence_minutes": tuple(cadence.progressive_intervals),
        "max_attempts": cadence.max_attempts,
        "max_daily_attempts": cadence.max_daily_attempts,
        "number_spacing_seconds": calling.number_spacing_seconds,
        "transfer_rest_minutes": calling.transfer_rest_minutes,
        "legal_profile": calling.legal_profile,
        "final_outcomes": tuple(cadence.success_outcomes),
        "outcome_names": dict(dialling.outcome_names),
        "bland": bland,
    }


def _config(plain: Mapping[str, Any], item: Mapping[str, Any], place: _Place) -> CampaignConfig:
    """Lay a campaign over the plain settings and check the whole."""
    own_bland = item.get("bland")
    if own_bland is not None and not isinstance(own_bland, dict):
        raise place.error("bland", "must be a mapping of keys to values")
    bland = _laid_over(plain["bland"], own_bland or {})
    try:
        entry = CampaignEntry.model_validate({**plain, **item, "bland": bland})
    except ValidationError as error:
        raise place.error(*_first_problem(error)) from None
    try:
        dialling = DiallingSettings.model_validate(bland, by_alias=True, by_name=False)
    except ValidationError as error:
        key, problem = _first_problem(error)
        raise place.error(f"bland.{key}".rstrip("."), problem) from None
    return CampaignConfig(_rules(entry, place), dialling)


def _laid_over(plain: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A campaign that brings its own script gets nothing of the plain settings' script."""
    script = _SCRIPT_KEYS if own.keys() & {"pathway_id", "task"} else frozenset()
    bland = {**{key: value for key, value in plain.items() if key not in script}, **own}
    if not bland.get("pathway_id") and not bland.get("task"):
        bland["task"] = DEFAULT_TASK
    return bland


def _rules(entry: CampaignEntry, place: _Place) -> Campaign:
    try:
        zone = ZoneInfo(entry.timezone or "")
    except (OSError, ValueError, LookupError):
        problem = f"{entry.timezone!r} is no time zone of the IANA database, such as America/New_York"
        raise place.error("timezone", problem) from None
    try:
        hours = parse_calling_hours(entry.hours or "", zone, frozenset(entry.blackout_dates or ()))
    except InvalidRule as error:
        raise place.error("hours", str(error)) from None
    return Campaign(name=CampaignName(entry.name), hours=hours, **dict(_given(entry)))


def _given(entry: CampaignEntry) -> Iterator[tuple[str, Any]]:
    """The rules that were given; the others keep the domain's own defaults."""
    if entry.cadence_minutes is not None:
        yield "cadence", tuple(timedelta(minutes=minutes) for minutes in entry.cadence_minutes)
    if entry.number_spacing_seconds is not None:
        yield "number_spacing", timedelta(seconds=entry.number_spacing_seconds)
    if entry.transfer_rest_minutes is not None:
        yield "transfer_rest", timedelta(minutes=entry.transfer_rest_minutes)
    if entry.inbound_rest_minutes is not None:
        yield "inbound_rest", timedelta(minutes=entry.inbound_rest_minutes)
    for name in (
        "max_attempts",
        "max_daily_attempts",
        "legal_profile",
        "final_outcomes",
        "outcome_names",
        "extra_callback_attempt",
        "sale_is_for_number",
    ):
        if (value := getattr(entry, name)) is not None:
            yield name, value


def _first_problem(error: ValidationError) -> tuple[str, str]:
    detail = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in detail["loc"] if part not in _UNION_STEPS)
    problem = "no such key" if detail["type"] == "extra_forbidden" else detail["msg"].removeprefix("Value error, ")
    return key, problem[:1].lower() + problem[1:]


def _name_of(item: object, number: int) -> str:
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) and name else f"number {number}"
