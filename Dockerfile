# One recipe for the four images: docker build --build-arg SERVICE=ingest -t earshot/ingest:0.1.0 . (Docker 23 or newer, buildah, podman)
# Inside is one service's code, `shared`, and the dependencies that its own lock file names; nothing else.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ARG SERVICE
RUN test -n "${SERVICE}" || { echo "give --build-arg SERVICE=ingest|sentiment|metrics|gateway" >&2; exit 1; }
RUN python -m venv --without-pip /opt/venv
COPY requirements/${SERVICE}.txt /tmp/requirements.txt
# Wheels only: no compiler in the image, no code of a dependency run while building.
RUN --mount=type=cache,target=/var/cache/pip \
    pip --cache-dir /var/cache/pip --python /opt/venv/bin/python install --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        -r /tmp/requirements.txt
COPY deploy/docker/trim.py /tmp/trim.py
RUN /opt/venv/bin/python /tmp/trim.py
COPY shared/ /app/shared/
COPY services/__init__.py /app/services/__init__.py
COPY services/${SERVICE}/ /app/services/${SERVICE}/
# Bytecode is made here, because the running container may not write.
RUN python -m compileall -q /app

FROM ${PYTHON_IMAGE} AS service
ARG SERVICE
LABEL org.opencontainers.image.title="earshot/${SERVICE}"
ENV SERVICE=${SERVICE} \
    PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
# A number, so that Kubernetes can see that it isn't root. Nobody owns the files but root: the process can't change its own code.
USER 10001:10001
EXPOSE 8000
# The orchestrator asks /livez and /readyz itself, and the port is a setting.
HEALTHCHECK NONE
# `exec` leaves Python as process 1, so SIGTERM reaches it.
CMD ["sh", "-c", "exec python -m services.$SERVICE"]

# For compose.yaml alone (`target: demo`): the gateway's image, and what makes the demo's tenant, its history and its live events.
FROM service AS demo
COPY deploy/__init__.py /app/deploy/__init__.py
COPY deploy/docker/ /app/deploy/docker/
COPY deploy/local/ /app/deploy/local/
USER 0:0
RUN install --directory --owner=10001 --group=10001 /data
USER 10001:10001
CMD ["python", "-m", "deploy.docker.demo"]

# What is built when no target is named.
FROM service
