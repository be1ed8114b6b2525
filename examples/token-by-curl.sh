#!/bin/sh
# A token from the daemon, with curl alone. Arguments: connection, address to call.
set -eu
socket="${EVERGRANT_HOME:-$HOME/.local/share/evergrant}/run/evergrant.sock"
answer=$(curl --silent --show-error --fail-with-body --unix-socket "$socket" \
  "http://localhost/v1/connections/$1/token?minLife=1m") ||
  { printf '%s\n' "$answer" >&2 && exit 1; } # it says why there is none, and who must act
token=$(printf '%s' "$answer" | sed -n 's/.*"accessToken":"\([^"]*\)".*/\1/p')
# By standard input, since others can read the arguments of a process.
printf 'header = "Authorization: Bearer %s"\n' "$token" | curl --silent --show-error --config - "$2"
