# Shared by the scripts beside it; sourced, never run.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
target=${CARGO_TARGET_DIR:-$root/target}
case $target in /*) ;; *) target=$root/$target ;; esac
tools=$target/tools
export PATH="$tools/bin:$root/scripts/node_modules/.bin:$PATH"

# One line about what happens next, on standard error, with the seconds since the script began.
say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }

# One line about why it cannot go on, and out.
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# The version of a crate in Cargo.lock.
locked() { awk -v name="\"$1\"" '$1 == "name" { found = $3 == name } found && $1 == "version" { gsub(/"/, "", $3); print $3; exit }' Cargo.lock; }

# A checksum of everything that decides what a step makes: the names and contents of the files given.
checksum() { find "$@" -type f -not -path '*/node_modules/*' -print0 2>/dev/null | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1; }
