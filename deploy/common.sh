# What deploy/up and deploy/test share: installs what a step needs and this machine lacks, on Debian and Ubuntu. Sourced, not run.

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
die() { printf 'deploy: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# apt PACKAGE ...: installs them, as root or through sudo.
apt() {
  has apt-get || die "this is no Debian or Ubuntu: install $* by hand and start again"
  local root=()
  [ "$(id -u)" = 0 ] || { has sudo || die "run as root, or install sudo, to install: $*"; root=(sudo); }
  say "installing $*"
  "${root[@]}" apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# The oldest compiler that will do stands in Cargo.toml.
wanted_rust() { sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml; }
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

need_rust() {
  PATH="$HOME/.cargo/bin:$PATH"
  has cc || apt build-essential
  if has rustc && at_least "$(wanted_rust)" "$(rustc --version | cut -d ' ' -f 2)"; then return; fi
  has curl || apt curl ca-certificates
  say "installing a Rust toolchain (rustc $(wanted_rust) or later) under ~/.cargo"
  if has rustup; then
    rustup toolchain install stable --profile minimal --component clippy --component rustfmt && rustup default stable
  else
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
      sh -s -- -y --quiet --profile minimal --component clippy --component rustfmt --default-toolchain stable
  fi
  at_least "$(wanted_rust)" "$(rustc --version | cut -d ' ' -f 2)" || die "rustc $(wanted_rust) or later is needed"
}

need_redis() {
  if ! has redis-server; then
    apt redis-server
    stop_service redis-server
  fi
  local version
  version=$(redis-server --version | sed -n 's/.* v=\([0-9.]*\).*/\1/p')
  at_least 7 "$version" || die "Redis $version is too old, 7 is needed: see https://redis.io/docs/install, or set REDIS_URL"
}

# The official client of the contract tests, as its lock file has it. Debian's npm is a package of its own; others come with Node.js.
need_client() {
  has node || apt nodejs
  has npm || apt npm
  local version
  version=$(node --version)
  at_least 18 "${version#v}" || die "Node.js $version is too old, 18 is needed: see https://nodejs.org/en/download"
  local folder=tests/contract
  if [ $folder/node_modules/.package-lock.json -nt $folder/package-lock.json ]; then return; fi
  say "installing the client of the contract tests"
  (cd $folder && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null) ||
    say "it cannot be installed: its test is skipped, or fails where APPVIEW_REQUIRE_DATA=1"
}

# The newest PostgreSQL on this machine: distributions keep its programs out of PATH.
find_postgres() {
  local found
  found=$(find /usr/lib/postgresql /usr/pgsql-* -path '*/bin/postgres' 2>/dev/null | sort -V | tail -n 1 || true)
  [ -n "$found" ] || found=$(command -v postgres) || return 1
  echo "$found"
}

need_postgres() {
  if ! find_postgres >/dev/null; then
    apt postgresql
    stop_service postgresql
  fi
  local version
  version=$("$(find_postgres)" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
  at_least 15 "$version" ||
    die "PostgreSQL $version is too old, 15 is needed: see https://wiki.postgresql.org/wiki/Apt, or set DATABASE_URL"
}

# appviewd runs the programs itself; the service that a package starts is not used.
stop_service() {
  if [ -d /run/systemd/system ] && [ "$(id -u)" = 0 ]; then systemctl disable --now -q "$1" 2>/dev/null || true; fi
}
