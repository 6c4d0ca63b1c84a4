# One image with the daemon, PostgreSQL and Redis; runs as an unprivileged user, keeps everything under /data.
#
#   docker build -t appviewd .
#   docker run -p 3000:3000 -v appviewd:/data --stop-timeout 30 appviewd
#
# With REDIS_URL and DATABASE_URL set it runs neither server itself, e.g. one container a role: appviewd --roles=ingest

FROM rust:1.92-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Dependencies first: they change rarely, and are most of the build.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src tests/it && echo 'fn main() {}' > src/main.rs && touch src/lib.rs tests/it/main.rs \
 && cargo build --release --locked && rm -rf src tests target/release/appviewd target/release/deps/*appviewd*
COPY migrations migrations
COPY src src
# A new time, or cargo takes the empty sources for the newer ones.
RUN find src -type f -exec touch {} + && mkdir -p tests/it && touch tests/it/main.rs && cargo build --release --locked

FROM debian:bookworm-slim
# The cluster that the package would make is not used: appviewd makes its own under /data.
RUN mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \
 && apt-get update && apt-get install -y --no-install-recommends ca-certificates postgresql redis-server \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data appview && install -d -o appview -g appview /data
COPY --from=build /src/target/release/appviewd /usr/local/bin/appviewd
USER appview
WORKDIR /data
VOLUME /data
ENV APPVIEW_DATA_DIR=/data APPVIEW_LOG__FORMAT=json
EXPOSE 3000
# A stop drains and then stops the embedded servers: 25 s at most.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s CMD ["appviewd", "health"]
ENTRYPOINT ["appviewd"]
