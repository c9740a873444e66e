"""Settings: read whole or refused in one line, secrets never shown."""

import hashlib
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr, ValidationError

from leadline.runtime.settings import ProcessSettings, SettingsError, load
from leadline.runtime.settings.access_parts import QueueClientPart, QueueServerPart
from leadline.runtime.settings.parts import (
    BlandCallPart,
    BlandPart,
    CadencePart,
    CallingPart,
    CampaignsFilePart,
    DatabasePart,
    DialerPart,
    GatewayPart,
    ObservabilityPart,
    PacePart,
)


class Some(ProcessSettings):
    process: ClassVar[str] = "some"

    queue: QueueClientPart
    observability: ObservabilityPart


def refusal(part: type, environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load(part, environ)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_process_is_composed_of_parts() -> None:
    settings = load(Some, {"LEADLINE_QUEUE_TOKEN": "t0ken", "LEADLINE_METRICS_PORT": "0", "HOME": "/nowhere"})
    assert settings.queue.queue_url == "http://127.0.0.1:8081"
    assert settings.queue.queue_token.get_secret_value() == "t0ken"
    assert settings.observability.metrics_port == 0
    queue: Any = settings.queue
    with pytest.raises(ValidationError, match="frozen"):
        queue.queue_url = "http://other"


def test_the_environment_given_is_the_only_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADLINE_CALLS_PER_SECOND", "99")
    assert load(PacePart, {}).calls_per_second == 5
    assert PacePart().calls_per_second == 5


def test_lists_are_comma_separated() -> None:
    cadence = load(CadencePart, {"REDIAL_PROGRESSIVE_INTERVALS": "0, 0.5,10 ,", "REDIAL_SUCCESS_OUTCOMES": "sale,Dnc"})
    assert list(cadence.progressive_intervals) == [0, 0.5, 10]
    assert list(cadence.success_outcomes) == ["SALE", "DNC"]
    calling = load(CallingPart, {"LEADLINE_BLACKOUT_DATES": "2026-12-25,2027-01-01", "LEADLINE_COUNTRIES": "us,ca"})
    assert [day.isoformat() for day in calling.blackout_dates] == ["2026-12-25", "2027-01-01"]
    assert calling.countries == {"US", "CA"}
    assert load(BlandCallPart, {"LEADLINE_OUTCOME_NAMES": "Sold=SALE, stop it=DNC"}).outcome_names == {
        "Sold": "SALE",
        "stop it": "DNC",
    }


def test_an_empty_variable_is_not_set() -> None:
    assert load(PacePart, {"LEADLINE_CALLS_PER_SECOND": " "}).calls_per_second == 5
    assert "LEADLINE_BLAND_API_KEY: is not set" in refusal(BlandPart, {"LEADLINE_BLAND_API_KEY": ""})


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("LEADLINE_QUEU_URL", "LEADLINE_QUEUE_URL"),
        ("leadline_calls_per_second", "LEADLINE_CALLS_PER_SECOND"),
        ("REDIAL_MAX_ATTEMPT", "REDIAL_MAX_ATTEMPTS"),
        ("LEADLINE_LEASE_SECOND", "LEADLINE_LEASE_SECONDS"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest_one(name: str, hint: str) -> None:
    assert refusal(PacePart, {name: "1"}) == f"{name}: no such setting; did you mean {hint}?"


def test_names_of_other_processes_are_known() -> None:
    load(PacePart, {"LEADLINE_DATABASE_URL": "not looked at", "LEADLINE_BLAND_API_KEY_FILE": "/nowhere"})


def test_service_links_of_kubernetes_are_named_as_such() -> None:
    for name, value in {"LEADLINE_QUEUE_SERVICE_HOST": "10.0.0.1", "LEADLINE_PORT": "tcp://10.0.0.1:80"}.items():
        assert "enableServiceLinks: false" in refusal(PacePart, {name: value})


def test_every_problem_is_in_the_one_line() -> None:
    text = refusal(Some, {"LEADLINE_QUEUE_URL": "ftp://x", "LEADLINE_LOG_LEVEL": "loud", "LEADLINE_NOPE": "1"})
    for expected in (
        "LEADLINE_QUEUE_URL='ftp://x': must be",
        "LEADLINE_QUEUE_TOKEN: is not set",
        "LEADLINE_LOG_LEVEL='loud'",
        "LEADLINE_NOPE",
    ):
        assert expected in text


@pytest.mark.parametrize(
    ("part", "environ", "expected"),
    [
        (PacePart, {"LEADLINE_CALLS_PER_SECOND": "0"}, "LEADLINE_CALLS_PER_SECOND='0': input should be greater than"),
        (PacePart, {"LEADLINE_BLAND_PLAN": "gold"}, "LEADLINE_BLAND_PLAN='gold'"),
        (CallingPart, {"LEADLINE_CALLING_TIMEZONE": "Mars/Base"}, "is no time zone"),
        (CallingPart, {"LEADLINE_CALLING_TIMEZONE": "../../etc/passwd"}, "is no time zone"),
        (CallingPart, {"LEADLINE_BLACKOUT_DATES": "25.12.2026"}, "LEADLINE_BLACKOUT_DATES='25.12.2026'"),
        (CadencePart, {"REDIAL_PROGRESSIVE_INTERVALS": "0,-1"}, "REDIAL_PROGRESSIVE_INTERVALS='0,-1'"),
        (CadencePart, {"REDIAL_PROGRESSIVE_INTERVALS": ","}, "REDIAL_PROGRESSIVE_INTERVALS=','"),
        (CadencePart, {"REDIAL_PROGRESSIVE_INTERVALS": "nan"}, "REDIAL_PROGRESSIVE_INTERVALS='nan'"),
        (BlandCallPart, {"LEADLINE_BLAND_TASK": "a", "LEADLINE_BLAND_PATHWAY_ID": "b"}, "are both set"),
        (BlandCallPart, {"LEADLINE_OUTCOME_NAMES": "Sold"}, "'Sold' is not name=value"),
        (ObservabilityPart, {"LEADLINE_METRICS_PORT": "70000"}, "LEADLINE_METRICS_PORT='70000'"),
    ],
)
def test_an_impossible_value_is_refused(part: type, environ: dict[str, str], expected: str) -> None:
    assert expected in refusal(part, environ)


@pytest.mark.parametrize(
    ("part", "environ"),
    [
        (DatabasePart, {"LEADLINE_DATABASE_URL": "mysql://root:geheim@db/x"}),
        (QueueServerPart, {"LEADLINE_QUEUE_TOKENS": "gateway:ok,geheim"}),
        (QueueServerPart, {"LEADLINE_QUEUE_TOKENS": "a:geheim,b:geheim"}),
        (QueueServerPart, {"LEADLINE_QUEUE_TOKENS": "a:geheim,a:other,a:third"}),
        (GatewayPart, {"LEADLINE_GATEWAY_API_KEYS": "a:sha256:geheim", "LEADLINE_BLAND_WEBHOOK_SECRETS": "x"}),
        (GatewayPart, {"LEADLINE_GATEWAY_API_KEYS": "a:b", "LEADLINE_BLAND_WEBHOOK_SECRETS": "geheim,2,3"}),
    ],
)
def test_a_refusal_shows_no_secret(part: type, environ: dict[str, str]) -> None:
    assert "geheim" not in refusal(part, environ)


def test_a_name_may_have_two_tokens_while_one_is_replaced() -> None:
    tokens = load(QueueServerPart, {"LEADLINE_QUEUE_TOKENS": "dialer:new,gateway:g,dialer:old"}).queue_tokens
    assert [(pair.name, pair.token.get_secret_value()) for pair in tokens] == [
        ("dialer", "new"),
        ("gateway", "g"),
        ("dialer", "old"),
    ]
    refused = refusal(QueueServerPart, {"LEADLINE_QUEUE_TOKENS": "dialer:t0ken1,dialer:t0ken2,dialer:t0ken3"})
    assert "dialer has more than 2 tokens" in refused
    assert "t0ken" not in refused


def test_secrets_are_never_printed() -> None:
    digest = hashlib.sha256(b"key-two").hexdigest()
    gateway = load(
        GatewayPart,
        {
            "LEADLINE_GATEWAY_API_KEYS": f"zapier:key-one,zapier:sha256:{digest}",
            "LEADLINE_BLAND_WEBHOOK_SECRETS": "new,old",
        },
    )
    tokens = load(QueueServerPart, {"LEADLINE_QUEUE_TOKENS": "gateway:t1,dialer:t2"})
    assert [key.sha256 for key in gateway.gateway_api_keys] == [
        hashlib.sha256(key).digest() for key in (b"key-one", b"key-two")
    ]
    assert gateway.bland_webhook_secrets == (SecretStr("new"), SecretStr("old"))
    assert [(pair.name, pair.token.get_secret_value()) for pair in tokens.queue_tokens] == [
        ("gateway", "t1"),
        ("dialer", "t2"),
    ]
    shown = repr(gateway) + repr(tokens) + str(gateway) + tokens.model_dump_json()
    for secret in ("key-one", digest, "new", "old", "t1", "t2"):
        assert secret not in shown


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")
    given = {"LEADLINE_BLAND_API_KEY_FILE": str(tmp_path / "key")}
    assert load(BlandPart, given).bland_api_key.get_secret_value() == "from-file"
    (tmp_path / "token").write_text("shown")
    queue = load(QueueClientPart, {"LEADLINE_QUEUE_TOKEN_FILE": str(tmp_path / "token")})
    assert (queue.queue_token.get_secret_value(), queue.queue_token_file) == ("shown", tmp_path / "token")
    assert load(QueueClientPart, {"LEADLINE_QUEUE_TOKEN": "x"}).queue_token_file is None
    assert "keep one of them" in refusal(BlandPart, given | {"LEADLINE_BLAND_API_KEY": "x"})
    assert "No such file" in refusal(BlandPart, {"LEADLINE_BLAND_API_KEY_FILE": str(tmp_path / "none")})
    (tmp_path / "empty").write_text("\n")
    assert "is empty" in refusal(BlandPart, {"LEADLINE_BLAND_API_KEY_FILE": str(tmp_path / "empty")})
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert "no UTF-8" in refusal(BlandPart, {"LEADLINE_BLAND_API_KEY_FILE": str(tmp_path / "binary")})


def test_only_secrets_have_a_file_form() -> None:
    assert "no such setting" in refusal(PacePart, {"LEADLINE_CALLS_PER_SECOND_FILE": "x"})
    path = load(CampaignsFilePart, {"LEADLINE_CAMPAIGNS_FILE": "campaigns.yaml"}).campaigns_file
    assert path == Path("campaigns.yaml")


def test_a_dialer_names_itself() -> None:
    assert load(DialerPart, {}).dialer_name == load(DialerPart, {}).dialer_name
    assert load(DialerPart, {"LEADLINE_DIALER_NAME": "d1"}).dialer_name == "d1"
