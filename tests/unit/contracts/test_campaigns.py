"""The campaigns file laid over the plain settings; every mistake is one line that names campaign and key."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadline.contracts.campaign_file import DEFAULT_TASK, CampaignsError
from leadline.contracts.campaigns import CampaignConfig, load_campaigns
from leadline.domain.campaign import LegalProfile
from leadline.domain.ids import CampaignName
from leadline.domain.outcome import Outcome
from leadline.runtime.settings.parts import BlandCallPart, CadencePart, CallingPart

AWHEALTH, SOLAR = CampaignName("awhealth"), CampaignName("solar")


def load(
    file: Path | None = None, *, cadence: Any = None, calling: Any = None, call: Any = None
) -> dict[CampaignName, CampaignConfig]:
    return load_campaigns(
        CadencePart(**(cadence or {})), CallingPart(**(calling or {})), BlandCallPart(**(call or {})), file
    )


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "campaigns.yaml"
    file.write_text(text)
    return file


def test_without_any_setting() -> None:
    ((name, config),) = load().items()
    assert name == config.rules.name == AWHEALTH
    assert config.rules.hours.is_open(datetime(2026, 1, 5, 16, 0, tzinfo=UTC))
    assert not config.rules.hours.is_open(datetime(2026, 1, 5, 15, 59, tzinfo=UTC))
    assert config.rules.cadence == tuple(timedelta(minutes=m) for m in (0, 1, 5, 10, 30, 60, 120))
    assert config.rules.legal_profile is LegalProfile.FEDERAL
    assert config.dialling.task == DEFAULT_TASK
    assert config.dialling.pathway_id is None


def test_plain_settings_make_awhealth() -> None:
    config = load(
        cadence={"progressive_intervals": (0, 0.5), "max_attempts": 3, "success_outcomes": ("SALE", "DNC")},
        calling={"calling_hours": "Sat 10:00-12:00", "calling_timezone": "America/Chicago", "legal_profile": "none"},
        call={
            "bland_pathway_id": "p-1",
            "bland_from": "(561) 555-0900",
            "bland_voicemail_message": "Hi",
            "bland_dispositions": ("SALE",),
            "outcome_names": {"Sold it": "sale"},
        },
    )[AWHEALTH]
    assert config.rules.cadence == (timedelta(0), timedelta(seconds=30))
    assert (config.rules.max_attempts, config.rules.max_daily_attempts) == (3, 8)
    assert config.rules.final_outcomes == {Outcome.SALE, Outcome.DNC}
    assert config.rules.hours.zone.key == "America/Chicago"
    assert config.rules.outcome_names == {"Sold it": Outcome.SALE}
    assert (config.dialling.pathway_id, config.dialling.task) == ("p-1", None)
    assert config.dialling.from_number == "+15615550900"
    assert config.dialling.voicemail is not None
    assert config.dialling.voicemail.effective_action == "leave_message"
    assert config.dialling.dispositions == ("SALE",)


FULL = """
campaigns:
  - name: solar
    hours: Mon-Sat 09:00-21:00
    timezone: America/Denver
    blackout_dates: [2026-12-25]
    cadence_minutes: [0, 2.5]
    max_attempts: 4
    max_daily_attempts: 2
    number_spacing_seconds: 120
    transfer_rest_minutes: 45
    inbound_rest_minutes: 0
    legal_profile: none
    final_outcomes: [sale, DNC, do-not-call]
    outcome_names: {Booked: SALE}
    extra_callback_attempt: false
    sale_is_for_number: false
    bland:
      task: Sell the sun.
      from: +13035550900
      voice: maya
      model: turbo
      wait_for_greeting: true
      voicemail: {action: ignore}
      max_duration_minutes: 12
"""


def test_a_full_campaign(tmp_path: Path) -> None:
    campaigns = load(write(tmp_path, FULL), call={"bland_pathway_id": "p-1", "bland_voicemail_message": "Hi"})
    rules, dialling = campaigns[SOLAR].rules, campaigns[SOLAR].dialling
    assert set(campaigns) == {AWHEALTH, SOLAR}
    assert rules.hours.blackout_dates == {date(2026, 12, 25)}
    assert rules.cadence == (timedelta(0), timedelta(minutes=2.5))
    assert (rules.max_attempts, rules.max_daily_attempts) == (4, 2)
    assert (rules.number_spacing, rules.transfer_rest) == (timedelta(minutes=2), timedelta(minutes=45))
    assert rules.inbound_rest == timedelta(0)
    assert rules.final_outcomes == {Outcome.SALE, Outcome.DNC, Outcome.DO_NOT_CALL}
    assert not rules.extra_callback_attempt
    assert not rules.sale_is_for_number
    assert (dialling.task, dialling.pathway_id) == ("Sell the sun.", None)
    assert dialling.from_number == "+13035550900"
    assert dialling.voicemail is not None
    assert dialling.voicemail.effective_action == "ignore"
    assert campaigns[AWHEALTH].dialling.pathway_id == "p-1"


def test_what_a_campaign_leaves_out_is_plain(tmp_path: Path) -> None:
    file = write(tmp_path, "- name: solar\n  max_attempts: 2\n")
    config = load(file, cadence={"max_daily_attempts": 5}, call={"bland_pathway_id": "p-1"})[SOLAR]
    assert (config.rules.max_attempts, config.rules.max_daily_attempts) == (2, 5)
    assert config.dialling.pathway_id == "p-1"


def test_the_file_overrides_awhealth(tmp_path: Path) -> None:
    campaigns = load(write(tmp_path, "- {name: awhealth, max_attempts: 2}"))
    assert list(campaigns) == [AWHEALTH]
    assert campaigns[AWHEALTH].rules.max_attempts == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- name: solar\n  hours: never", "campaign solar, hours: .*never"),
        ("- name: solar\n  timezone: Mars/Base", "campaign solar, timezone: 'Mars/Base' is no time zone"),
        ("- name: solar\n  timezone: ../../etc/passwd", "campaign solar, timezone: .* is no time zone"),
        ("- name: solar\n  max_atempts: 2", "campaign solar, max_atempts: no such key"),
        ("- name: solar\n  max_attempts: many", "campaign solar, max_attempts: input should be a valid integer"),
        ("- name: solar\n  cadence_minutes: [0, -1]", "campaign solar, cadence_minutes.1: "),
        ("- name: solar\n  cadence_minutes: []", "campaign solar, cadence_minutes: "),
        ("- name: solar\n  number_spacing_seconds: 1", "campaign solar, number_spacing_seconds: "),
        ("- name: solar\n  legal_profile: mine", "campaign solar, legal_profile: .*'none'"),
        ("- name: solar\n  final_outcomes: [WON]", "campaign solar, final_outcomes.0: "),
        ("- name: solar\n  outcome_names: {Won: WON}", "campaign solar, outcome_names.Won: "),
        ("- name: solar\n  blackout_dates: [someday]", "campaign solar, blackout_dates.0: "),
        ("- name: solar\n  bland: p-1", "campaign solar, bland: must be a mapping"),
        ("- name: solar\n  bland: {retry: {wait: 10}}", "campaign solar, bland.retry: no such key"),
        ("- name: solar\n  bland: {from_number: '+15615550900'}", "campaign solar, bland.from_number: no such key"),
        ("- name: solar\n  bland: {from: 12345}", "campaign solar, bland.from: must be a US number"),
        ("- name: solar\n  bland: {pathway_id: a, task: b}", "campaign solar, bland: .*both set"),
        ("- name: solar\n  bland: {start_node_id: a}", "campaign solar, bland: .*need a pathway_id"),
        ("- name: solar\n  bland: {voicemail: {action: leave_message}}", "campaign solar, bland.voicemail: .*message"),
        ("- name: solar\n  bland: {voicemail: {action: sing}}", "campaign solar, bland.voicemail.action: "),
        ("- name: solar\n  bland: {max_duration_minutes: 721}", "campaign solar, bland.max_duration_minutes: "),
        ("- name: So Lar", "campaign So Lar, name: "),
        ("- name: 7", "campaign number 1, name: "),
        ("- name: solar\n- name: solar", "campaign solar, name: stands in the file twice"),
        ("- name: solar\n  name: lunar", "line 2, column 3: 'name' stands there twice"),
        ("- hours: x", "campaign number 1, name: is missing"),
        ("- solar", "campaign number 1: must be a mapping"),
        ("- {name: solar, yes: 1}", "campaign number 1: .*quote keys"),
        ("name: solar", "must be a list of campaigns"),
        ("", "must be a list of campaigns"),
        ("campaigns: {solar: {}}", "must be a list of campaigns"),
        ("- name: [", "line 1, column 10: "),
        ("- !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("[" * 5000, ": "),
        ("a: &a [*a]\n- b", ": "),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(CampaignsError) as caught:
        load(write(tmp_path, text))
    message = str(caught.value)
    assert re.search(line, message), message
    assert "campaigns.yaml" in message
    assert "\n" not in message


def test_unreadable_files(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(CampaignsError, match=r"cannot be read"):
            load(path)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x01\x80")
    with pytest.raises(CampaignsError, match=r"binary\.yaml"):
        load(binary)


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        ({"cadence": {"success_outcomes": ("WON",)}}, "REDIAL_SUCCESS_OUTCOMES 0: "),
        ({"calling": {"calling_hours": "always"}}, "LEADLINE_CALLING_HOURS: "),
        ({"call": {"outcome_names": {"Won": "WON"}}}, "LEADLINE_OUTCOME_NAMES Won: "),
        ({"call": {"bland_from": "911"}}, "LEADLINE_BLAND_FROM: "),
        ({"call": {"bland_dispositions": ("X",) * 51}}, "LEADLINE_BLAND_DISPOSITIONS: "),
    ],
)
def test_plain_settings_are_named(parts: Any, line: str) -> None:
    with pytest.raises(CampaignsError, match=f"^{line}") as caught:
        load(**parts)
    assert "\n" not in str(caught.value)
