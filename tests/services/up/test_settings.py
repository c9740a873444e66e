"""Settings that are given win, what is missing is made, and each process gets only its own."""

import hashlib
from pathlib import Path

import pytest

from leadline.contracts.campaigns import DEFAULT_CAMPAIGN
from leadline.runtime.settings import SettingsError
from services.cli.up.children import child_environment, machine_environment
from services.cli.up.errors import UpRefused
from services.cli.up.folder import DataFolder
from services.cli.up.settings import CALLERS, Configured, bland_base_url, configure, data_dir
from services.dialer.settings import DialerSettings
from services.migrate.settings import MigrateSettings
from services.queue_service.settings import QueueSettings
from services.sweep.settings import SweepSettings

REAL = {
    "LEADLINE_BLAND_API_KEY": "sk-real",
    "LEADLINE_BLAND_WEBHOOK_SECRETS": "whsec",
    "LEADLINE_PUBLIC_URL": "https://calls.example.com",
}


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path)


def test_with_no_settings_everything_is_made_and_kept(folder: DataFolder) -> None:
    first = configure({}, folder)
    assert first.own_simulator
    assert first.simulated
    assert first.makes_public_url
    assert set(first.tokens) == set(CALLERS)
    assert len(set(first.tokens.values())) == len(CALLERS)
    assert first.made.keys() >= {"gateway-api-key", "queue-token-operator", "bland-webhook-secret"}
    assert first.api_key == first.made["gateway-api-key"]
    assert DEFAULT_CAMPAIGN in first.campaigns

    second = configure({}, folder)
    assert second.made == {}
    assert (second.tokens, second.api_key) == (first.tokens, first.api_key)


def test_given_secrets_win(folder: DataFolder, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-a-file\n", encoding="utf-8")
    configured = configure(
        {
            "LEADLINE_GATEWAY_API_KEYS": "zapier:my-key,other:sha256:" + "0" * 64,
            "LEADLINE_QUEUE_TOKENS": "operator:my-token,dialer:other-token",
            "LEADLINE_BLAND_WEBHOOK_SECRETS_FILE": str(tmp_path / "secret"),
        },
        folder,
    )
    assert configured.api_key == "my-key"
    assert (configured.tokens["operator"], configured.tokens["dialer"]) == ("my-token", "other-token")
    assert configured.settings.gateway.bland_webhook_secrets[0].get_secret_value() == "from-a-file"
    assert set(configured.made) == {
        *("queue-token-gateway", "queue-token-sweep", "queue-token-crm-sync", "queue-token-backfill"),
        *("simulated-bland-api-key", "simulated-convoso-token"),
    }
    accepted = {pair.name: pair.token.get_secret_value() for pair in configured.settings.queue.queue_tokens}
    assert accepted == dict(configured.tokens)


def test_of_two_tokens_both_are_taken_and_the_first_is_shown(folder: DataFolder) -> None:
    configured = configure({"LEADLINE_QUEUE_TOKENS": "dialer:new,dialer:old"}, folder)
    assert configured.tokens["dialer"] == "new"
    taken = [pair.token.get_secret_value() for pair in configured.settings.queue.queue_tokens if pair.name == "dialer"]
    assert taken == ["new", "old"]


def test_the_token_of_this_shell_is_the_operators(folder: DataFolder) -> None:
    assert configure({"LEADLINE_QUEUE_TOKEN": "mine"}, folder).tokens["operator"] == "mine"


def test_digests_alone_are_no_key_to_post_with(folder: DataFolder) -> None:
    digest = hashlib.sha256(b"key").hexdigest()
    assert configure({"LEADLINE_GATEWAY_API_KEYS": f"zapier:sha256:{digest}"}, folder).api_key is None


def test_a_real_key_means_real_calls(folder: DataFolder) -> None:
    assert bland_base_url(REAL) == "https://api.bland.ai"
    configured = configure(REAL, folder)
    assert not configured.own_simulator
    assert not configured.simulated
    assert not configured.makes_public_url


@pytest.mark.parametrize("missing", ["LEADLINE_BLAND_WEBHOOK_SECRETS", "LEADLINE_PUBLIC_URL"])
def test_real_calls_need_what_only_bland_and_the_world_know(folder: DataFolder, missing: str) -> None:
    with pytest.raises(SettingsError, match=f"{missing}: is not set"):
        configure({name: value for name, value in REAL.items() if name != missing}, folder)


def test_a_bland_of_ones_own_on_this_machine(folder: DataFolder) -> None:
    configured = configure({"LEADLINE_BLAND_BASE_URL": "http://127.0.0.1:9999"}, folder)
    assert not configured.own_simulator
    assert configured.simulated


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"LEADLINE_CALING_HOURS": "x"}, "did you mean LEADLINE_CALLING_HOURS"),
        ({"REDIAL_MAX_ATTEMPTS": "0"}, "REDIAL_MAX_ATTEMPTS='0'"),
        ({"LEADLINE_SWEEP_MINUTES": "0"}, "LEADLINE_SWEEP_MINUTES='0'"),
        ({"LEADLINE_BLAND_BASE_URL": "api.bland.ai"}, "LEADLINE_BLAND_BASE_URL='api.bland.ai'"),
        ({"LEADLINE_CRM": "salesforce"}, "LEADLINE_CRM='salesforce'"),
        ({"LEADLINE_CRM_SYNC_BATCH": "0"}, "LEADLINE_CRM_SYNC_BATCH='0'"),
    ],
)
def test_a_wrong_setting_stops_it_before_anything_starts(
    folder: DataFolder, environ: dict[str, str], words: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        configure(environ, folder)
    assert words in str(refused.value)


def test_a_campaigns_rule_that_cannot_be_read_is_refused(folder: DataFolder) -> None:
    with pytest.raises(UpRefused, match="LEADLINE_CALLING_HOURS"):
        configure({"LEADLINE_CALLING_HOURS": "sometimes"}, folder)


def test_real_leads_are_not_given_to_a_simulated_carrier(folder: DataFolder) -> None:
    with pytest.raises(UpRefused, match="LEADLINE_DATABASE_URL is not on this machine"):
        configure({"LEADLINE_DATABASE_URL": "postgresql://db.example.com/leadline"}, folder)
    here = configure({"LEADLINE_DATABASE_URL": "postgresql://127.0.0.1:5433/leadline"}, folder)
    assert here.database_url is not None


def test_the_option_names_the_folder_before_the_setting() -> None:
    assert data_dir({}, None) == Path(".leadline")
    assert data_dir({"LEADLINE_DATA_DIR": "/a"}, None) == Path("/a")
    assert data_dir({"LEADLINE_DATA_DIR": "/a"}, Path("/b")) == Path("/b")


SECRETS_OF_OTHERS = {
    "LEADLINE_DATABASE_URL",
    "LEADLINE_QUEUE_TOKENS",
    "LEADLINE_GATEWAY_API_KEYS",
    "LEADLINE_BLAND_WEBHOOK_SECRETS",
}


@pytest.fixture
def configured(folder: DataFolder) -> Configured:
    return configure({}, folder)


def test_only_queue_and_migrate_are_given_the_database(configured: Configured) -> None:
    own = {"LEADLINE_DATABASE_URL": "postgresql://127.0.0.1/x", "LEADLINE_QUEUE_TOKEN": "t"}
    for settings in (QueueSettings, MigrateSettings):
        assert "LEADLINE_DATABASE_URL" in child_environment(settings, configured.environ, own)
    for other in (DialerSettings, SweepSettings):
        given = child_environment(other, configured.environ, own)
        assert not given.keys() & SECRETS_OF_OTHERS
        assert given["LEADLINE_QUEUE_TOKEN"] == "t"


def test_a_setting_of_our_own_replaces_one_from_a_file(configured: Configured) -> None:
    environ = {**configured.environ, "LEADLINE_QUEUE_TOKEN_FILE": "/somewhere"}
    given = child_environment(SweepSettings, environ, {"LEADLINE_QUEUE_TOKEN": "t"})
    assert "LEADLINE_QUEUE_TOKEN_FILE" not in given


def test_no_secret_of_the_machine_is_passed_on() -> None:
    environ = {
        "PATH": "/bin",
        "LC_ALL": "C",
        "AWS_SECRET_ACCESS_KEY": "x",
        "PGPASSWORD": "y",
        "LEADLINE_BLAND_API_KEY": "z",
    }
    assert machine_environment(environ) == {"PATH": "/bin", "LC_ALL": "C"}
