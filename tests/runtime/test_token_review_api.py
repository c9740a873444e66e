"""TokenReview over TLS: whom a cluster's API server vouches for, and everything that is no permission."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from leadline.runtime.http import token_review_api
from leadline.runtime.http.token_review_api import ReviewFailed, TokenReviewApi
from leadline.runtime.http.token_reviews import TokensNotReviewed, reviewing
from leadline.runtime.settings import SettingsError, load
from leadline.runtime.settings.access_parts import ServiceAccountsPart
from leadline.runtime.watched_file import WatchedFile
from tests.support.api_server import (
    AUDIENCE,
    ApiServer,
    Authority,
    Issued,
    api_server,
    jwt,
    make_authority,
    serving_tls,
    username,
)

ACCOUNTS = "gateway=leadline/leadline-gateway, dialer=leadline/leadline-dialer"
GATEWAY = "leadline-gateway"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def api(tmp_path: Path, authority: Authority) -> AsyncIterator[ApiServer]:
    async with api_server(tmp_path, authority) as server:
        yield server
        assert server.broken == []


class TestOverTls:
    async def test_a_token_of_a_named_account_is_its_callers(self, api: ApiServer) -> None:
        async with api.reviewing(ACCOUNTS) as reviews:
            assert await reviews.caller(api.issue(GATEWAY)) == "gateway"
            assert await reviews.caller(api.issue("leadline-dialer")) == "dialer"

    @pytest.mark.parametrize(
        "token",
        [
            lambda api: api.issue("leadline-sweep"),
            lambda api: api.issue(GATEWAY, audience="https://kubernetes.default.svc"),
            lambda api: api.issue(GATEWAY, seconds=-1),
            lambda _: jwt({"sub": username(GATEWAY), "aud": [AUDIENCE], "exp": int(time.time()) + 60}),
        ],
        ids=["unknown account", "wrong audience", "expired", "never issued"],
    )
    async def test_other_tokens_are_nobodys(self, api: ApiServer, token: Callable[[ApiServer], str]) -> None:
        async with api.reviewing(ACCOUNTS) as reviews:
            assert await reviews.caller(token(api)) is None

    async def test_what_a_token_says_of_itself_makes_nobody_a_caller(self, api: ApiServer) -> None:
        """The cluster's word counts, where it differs."""
        token = jwt({"sub": username(GATEWAY)})
        for found in (
            Issued(username("leadline-sweep"), (AUDIENCE,), time.time() + 60),
            Issued(username(GATEWAY, "elsewhere"), (AUDIENCE,), time.time() + 60),
            Issued(GATEWAY, (AUDIENCE,), time.time() + 60),
            Issued(username(GATEWAY), ("other",), time.time() + 60),
        ):
            api.issued[token] = found
            async with api.reviewing(ACCOUNTS) as reviews:
                assert await reviews.caller(token) is None
        assert api.reviewed == [token] * 4

    async def test_a_cluster_that_knows_no_audiences_vouches_for_nobody(self, api: ApiServer) -> None:
        api.knows_audiences = False
        async with api.reviewing(ACCOUNTS) as reviews:
            assert await reviews.caller(api.issue(GATEWAY)) is None

    async def test_the_audience_is_a_setting(self, api: ApiServer) -> None:
        async with api.reviewing(ACCOUNTS, LEADLINE_QUEUE_AUDIENCE="ours") as reviews:
            assert await reviews.caller(api.issue(GATEWAY, audience="ours")) == "gateway"
            assert await reviews.caller(api.issue(GATEWAY)) is None

    async def test_an_account_may_move_and_a_caller_have_two(self, api: ApiServer) -> None:
        async with api.reviewing("gateway=leadline/a,gateway=leadline/b.c") as reviews:
            assert {await reviews.caller(api.issue(name)) for name in ("a", "b.c")} == {"gateway"}

    async def test_our_own_token_is_read_again_when_it_was_rotated(self, api: ApiServer) -> None:
        async with api.reviewing(ACCOUNTS) as reviews:
            assert await reviews.caller(api.issue(GATEWAY)) == "gateway"
            api.mount("own-2")
            api.own_tokens = {"own-2"}
            assert await reviews.caller(api.issue(GATEWAY)) == "gateway"
            assert await reviews.caller(api.issue(GATEWAY)) == "gateway"
        assert api.shown == ["own-1", "own-1", "own-2", "own-2"]

    async def test_a_new_authority_is_trusted_as_soon_as_it_is_mounted(
        self, api: ApiServer, authority: Authority, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        asked = TokenReviewApi(api.url, api.folder, AUDIENCE)
        asked._ca = WatchedFile(api.folder / "ca.crt", check_seconds=0)
        try:
            api.mount("own-1", make_authority(tmp_path_factory.mktemp("other")).ca)
            with pytest.raises(ReviewFailed, match="cannot be reached"):
                await asked.review(api.issue(GATEWAY))
            api.mount("own-1", authority.ca)
            assert (await asked.review(api.issue(GATEWAY))).authenticated
        finally:
            await asked.close()

    @pytest.mark.parametrize("status", [500, 503, 429, 404, 302])
    async def test_no_verdict_is_no_permission(self, api: ApiServer, status: int) -> None:
        api.fails_with = status
        async with api.reviewing(ACCOUNTS) as reviews:
            with pytest.raises(TokensNotReviewed):
                await reviews.caller(api.issue(GATEWAY))

    @pytest.mark.parametrize(
        "answer",
        [
            "",
            "<html>",
            "{}",
            "[]",
            '{"status": {"authenticated": "true", "user": {"username": "%s"}, "audiences": ["leadline-queue"]}}',
            '{"status": {"authenticated": 1, "user": {"username": "%s"}, "audiences": ["leadline-queue"]}}',
            '{"status": {"authenticated": true, "user": {"username": "%s"}, "audiences": "leadline-queue"}}',
            '{"status": {"authenticated": true, "user": {"username": "%s"}, "audiences": ["leadline-queue"]'
            + " " * 70_000,
        ],
    )
    async def test_an_answer_that_is_none_is_no_permission(self, api: ApiServer, answer: str) -> None:
        api.answers_with = answer.replace("%s", username(GATEWAY))
        async with api.reviewing(ACCOUNTS) as reviews:
            with pytest.raises(TokensNotReviewed):
                await reviews.caller(api.issue(GATEWAY))

    async def test_who_may_not_review_says_what_is_missing(
        self, api: ApiServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        api.may_review = False
        token = api.issue(GATEWAY)
        async with api.reviewing(ACCOUNTS) as reviews:
            with pytest.raises(TokensNotReviewed):
                await reviews.caller(token)
        (record,) = [record for record in caplog.records if record.msg == "token_review_failed"]
        assert "system:auth-delegator" in str(record.__dict__["leadline_data"])

    async def test_a_server_that_is_away_and_comes_back(self, tmp_path: Path, authority: Authority) -> None:
        server = ApiServer(tmp_path)
        server.mount("own-1", authority.ca)
        async with serving_tls(server, authority):
            pass
        port = int(server.url.rpartition(":")[2])
        token = server.issue(GATEWAY)
        async with server.reviewing(ACCOUNTS) as reviews:
            with pytest.raises(TokensNotReviewed):
                await reviews.caller(token)
            async with serving_tls(server, authority, port):
                reviews._away_until = 0
                assert await reviews.caller(token) == "gateway"
            assert await reviews.caller(token) == "gateway"

    async def test_an_authority_that_is_not_the_clusters_is_not_trusted(
        self, api: ApiServer, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        other = make_authority(tmp_path_factory.mktemp("other"))
        for ca in (other.ca, "no certificate", " "):
            api.mount("own-1", ca)
            async with api.reviewing(ACCOUNTS) as reviews:
                with pytest.raises(TokensNotReviewed):
                    await reviews.caller(api.issue(GATEWAY))
        assert api.shown == []

    async def test_certificates_of_old_clusters_are_good_enough(self, api: ApiServer) -> None:
        asked = TokenReviewApi(api.url, api.folder, AUDIENCE)
        try:
            trust = asked._trust()
        finally:
            await asked.close()
        assert not trust.verify_flags & ssl.VERIFY_X509_STRICT
        assert trust.verify_mode is ssl.CERT_REQUIRED
        assert trust.check_hostname

    async def test_a_server_that_does_not_answer_is_given_up(
        self, api: ApiServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(token_review_api, "ANSWER_SECONDS", 0.1)

        over = asyncio.Event()

        async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await over.wait()
            writer.close()

        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            api.url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
            async with api.reviewing(ACCOUNTS) as reviews:
                with pytest.raises(TokensNotReviewed):
                    await reviews.caller(api.issue(GATEWAY))
            over.set()
            await asyncio.sleep(0.01)

    async def test_tokens_are_neither_kept_nor_logged(self, api: ApiServer, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("DEBUG")
        good, bad = api.issue(GATEWAY), jwt({"sub": username(GATEWAY)})
        async with api.reviewing(ACCOUNTS) as reviews:
            await reviews.caller(good)
            await reviews.caller(bad)
            api.fails_with = 500
            with pytest.raises(TokensNotReviewed):
                await reviews.caller(api.issue(GATEWAY))
            logged = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
            for secret in (good, bad, "own-1"):
                assert secret not in logged
                assert secret not in str(vars(reviews))


class TestSettings:
    def refusal(self, **settings: str) -> str:
        with pytest.raises(SettingsError) as caught:
            load(ServiceAccountsPart, settings)
        return str(caught.value)

    async def test_nobody_named_is_nobody_reviewed(self, tmp_path: Path) -> None:
        environ = {"LEADLINE_KUBERNETES_ACCOUNT_DIR": str(tmp_path / "none")}
        async with reviewing(load(ServiceAccountsPart, environ)) as reviews:
            assert reviews is None

    @pytest.mark.parametrize(
        "accounts",
        ["gateway", "gateway=leadline", "gateway=/x", "=a/b", "a=B/c", "a=b/c/d", "a=b/-c", "a:b/c", "a=b/c,d=b/c"],
    )
    def test_accounts_that_cannot_be_are_one_line(self, accounts: str) -> None:
        line = self.refusal(LEADLINE_QUEUE_SERVICE_ACCOUNTS=accounts)
        assert line.startswith("LEADLINE_QUEUE_SERVICE_ACCOUNTS=")
        assert "\n" not in line

    def test_our_own_account_must_be_mounted(self, tmp_path: Path) -> None:
        given = {"LEADLINE_QUEUE_SERVICE_ACCOUNTS": "a=b/c", "LEADLINE_KUBERNETES_ACCOUNT_DIR": str(tmp_path)}
        assert f"cannot read {tmp_path}/token" in self.refusal(**given)
        (tmp_path / "token").write_text("x")
        assert f"cannot read {tmp_path}/ca.crt" in self.refusal(**given)

    def test_tokens_are_sent_over_tls_alone(self) -> None:
        assert "https://" in self.refusal(LEADLINE_KUBERNETES_URL="http://kubernetes.default.svc")
