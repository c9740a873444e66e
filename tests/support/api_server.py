"""A strict stand-in for a Kubernetes API server: TokenReview over TLS with a throw-away CA, and nothing else.

Its CA is as bare as those of old clusters: no key identifiers, no key usage.
"""

import base64
import json
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from leadline.runtime.http.token_reviews import TokenReviews, reviewing
from leadline.runtime.settings import load
from leadline.runtime.settings.access_parts import ServiceAccountsPart

AUDIENCE = "leadline-queue"
PATH = "/apis/authentication.k8s.io/v1/tokenreviews"
_CONFIG = """[req]
distinguished_name = name
prompt = no
x509_extensions = ca
[name]
CN = kubernetes
[ca]
basicConstraints = critical, CA:TRUE
[server]
basicConstraints = CA:FALSE
subjectAltName = DNS:localhost, DNS:kubernetes.default.svc, IP:127.0.0.1
"""


def username(name: str, namespace: str = "leadline") -> str:
    return f"system:serviceaccount:{namespace}:{name}"


def jwt(claims: Any, signature: str = "c2lnbmVk") -> str:
    """A token as it looks; nobody here can tell its signature from an invented one, but for the server."""
    parts = [json.dumps({"alg": "RS256", "kid": "k"}), json.dumps(claims)]
    return ".".join([*(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts), signature])


@dataclass(frozen=True, slots=True)
class Issued:
    """What the cluster knows of a token."""

    username: str
    audiences: tuple[str, ...]
    expires_at: float


@dataclass(slots=True)
class ApiServer:
    """The server and its cluster's tokens."""

    folder: Path
    """Where the queue-service's own account is mounted: `token` and `ca.crt`."""
    own_tokens: set[str] = field(default_factory=lambda: {"own-1"})
    """Tokens that may post reviews."""
    may_review: bool = True
    knows_audiences: bool = True
    fails_with: int | None = None
    answers_with: str | None = None
    issued: dict[str, Issued] = field(default_factory=dict)
    reviewed: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    """Tokens with which reviews were asked for."""
    broken: list[str] = field(default_factory=list)
    """Requests that no real server would understand."""
    url: str = ""

    def issue(self, name: str, *, audience: str = AUDIENCE, seconds: float = 3600, **claims: Any) -> str:
        """A token as the kubelet would fetch it for a pod."""
        expires_at = time.time() + seconds
        said = {"sub": username(name), "aud": [audience], "exp": int(expires_at), "jti": str(len(self.issued))}
        token = jwt(said | claims)
        self.issued[token] = Issued(username(name), (audience,), expires_at)
        return token

    def mount(self, own_token: str, ca: str | None = None) -> None:
        (self.folder / "token").write_text(own_token)
        if ca is not None:
            (self.folder / "ca.crt").write_text(ca)

    def settings(self, accounts: str, **more: str) -> dict[str, str]:
        """What the queue-service is given."""
        return {
            "LEADLINE_QUEUE_SERVICE_ACCOUNTS": accounts,
            "LEADLINE_KUBERNETES_URL": self.url,
            "LEADLINE_KUBERNETES_ACCOUNT_DIR": str(self.folder),
            **more,
        }

    @asynccontextmanager
    async def reviewing(self, accounts: str, **more: str) -> AsyncIterator[TokenReviews]:
        """Reviews by this server."""
        async with reviewing(load(ServiceAccountsPart, self.settings(accounts, **more))) as reviews:
            assert reviews is not None
            yield reviews

    async def answer(self, request: web.Request) -> web.Response:
        own = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.shown.append(own)
        if own not in self.own_tokens:
            return _status(401, "Unauthorized")
        if not self.may_review:
            return _status(403, "tokenreviews.authentication.k8s.io is forbidden")
        if self.fails_with is not None:
            return _status(self.fails_with, "Later")
        if self.answers_with is not None:
            return web.Response(text=self.answers_with, status=201, content_type="application/json")
        review = await request.json()
        if problem := _problem(request, review):
            self.broken.append(problem)
            return _status(400, problem)
        self.reviewed.append(review["spec"]["token"])
        return web.json_response({**review, "metadata": {"managedFields": []}, "status": self._of(review)}, status=201)

    def _of(self, review: Any) -> dict[str, Any]:
        found = self.issued.get(review["spec"]["token"])
        if found is None or found.expires_at < time.time():
            return {"user": {}, "error": "[invalid bearer token, Token has been invalidated]"}
        audiences = sorted(set(found.audiences) & set(review["spec"]["audiences"]))
        if not self.knows_audiences:
            audiences = []
        elif not audiences:
            return {"user": {}, "error": "token audiences do not match"}
        groups = ["system:serviceaccounts", "system:authenticated"]
        user = {"username": found.username, "uid": "u", "groups": groups, "extra": {"pod-name": ["p"]}}
        return {"authenticated": True, "user": user} | ({"audiences": audiences} if audiences else {})


def _problem(request: web.Request, review: Any) -> str:
    if request.content_type != "application/json" or "json" not in request.headers.get("Accept", ""):
        return "no JSON"
    if (review.get("apiVersion"), review.get("kind")) != ("authentication.k8s.io/v1", "TokenReview"):
        return "no TokenReview"
    if set(review) != {"apiVersion", "kind", "spec"} or set(review["spec"]) != {"token", "audiences"}:
        return "unknown field"
    return ""


def _status(code: int, message: str) -> web.Response:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
    return web.json_response(body, status=code)


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA, and what a server of its cluster shows."""

    ca: str
    context: ssl.SSLContext


def make_authority(folder: Path) -> Authority:
    """A new CA and a server's certificate of it. Needs `openssl`."""
    (folder / "openssl.cnf").write_text(_CONFIG)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-config", "openssl.cnf")
    _openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2")
    _openssl(folder, "req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=kube-apiserver")
    signing = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
    extensions = ("-extfile", "openssl.cnf", "-extensions", "server")
    _openssl(folder, "x509", "-req", "-in", "server.csr", "-out", "server.crt", *signing, *extensions)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    return Authority((folder / "ca.crt").read_text(), context)


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


@asynccontextmanager
async def api_server(folder: Path, authority: Authority, port: int = 0) -> AsyncIterator[ApiServer]:
    """Serve one inside the block, with our account mounted in `folder`."""
    server = ApiServer(folder)
    server.mount("own-1", authority.ca)
    async with serving_tls(server, authority, port):
        yield server


@asynccontextmanager
async def serving_tls(server: ApiServer, authority: Authority, port: int = 0) -> AsyncIterator[None]:
    """Serve this one; afterwards it is away, and may come back on the same port."""
    app = web.Application()
    app.router.add_post(PATH, server.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=authority.context)
    await site.start()
    server.url = f"https://localhost:{runner.addresses[0][1]}"
    try:
        yield
    finally:
        await runner.cleanup()
