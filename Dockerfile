# syntax=docker/dockerfile:1
# The installer's image. image/steps.sh has its steps, and can make the same root file system without a container
# engine.
FROM golang:1.26-bookworm AS helm
COPY fixtures/rehearsal/tools /tools
WORKDIR /tools
RUN CGO_ENABLED=0 go build -trimpath -ldflags=-s -o /helm helm.sh/helm/v4/cmd/helm

FROM python:3.13-slim-bookworm AS build
COPY --from=helm /helm /helm
COPY . /source
ARG MIRROR=
RUN HELM=/helm /source/image/steps.sh /out

FROM python:3.13-slim-bookworm
COPY --from=build /out/ /
ENV PATH=/app/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/app/packages:/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    MIGRATIONS_PATH=/app/migrations
WORKDIR /app
USER 10001:10001
VOLUME ["/tmp", "/reports"]
ENTRYPOINT ["/app/bin/entrypoint"]
