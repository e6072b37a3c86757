# One image for every role: `docker run windfire auth`, `… push-server`, `… push-route`.

FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libhiredis-dev libmariadb-dev libsqlite3-dev \
        libzookeeper-mt-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
# Dependencies change less often than sources: fetched in a layer of their own.
COPY Package.swift ./
RUN swift package resolve
COPY Sources Sources
# The manifest names the test targets, so their folders have to be there, though nothing in them is built.
COPY Tests Tests
RUN swift build -c release --product windfire \
    && install -D -m 755 .build/release/windfire /out/windfire

FROM swift:6.3-bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl libhiredis0.14 libmariadb3 libsqlite3-0 \
        libzookeeper-mt2 openssl zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 8300 --home-dir /var/lib/windfire --create-home windfire \
    && install -d -o windfire -g windfire -m 700 /var/lib/windfire/keys /var/lib/windfire/jobs
COPY --from=build /out/windfire /usr/local/bin/windfire
USER windfire
WORKDIR /var/lib/windfire
# auth; push-route: API, gRPC; push-server: devices, gRPC, metrics and health
EXPOSE 8100 8200 8201 8300 8301 8302
# Where this container's role tells whether it is ready; the default is push-route's.
ENV HEALTH_URL=http://127.0.0.1:8200/readyz
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s CMD curl -fsS "$HEALTH_URL" >/dev/null
# SIGTERM is the graceful stop: leave the list, tell the devices, wait for them.
STOPSIGNAL SIGTERM
ENTRYPOINT ["windfire"]
CMD ["--help"]
