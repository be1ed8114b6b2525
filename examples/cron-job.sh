#!/bin/sh
# Fetches the assets of Perspio each hour. In the crontab:
#
#   17 * * * * /usr/local/bin/cron-job.sh /var/lib/report/assets.json
#
# cron mails what is printed, so this prints only what a person must know.
set -u
target=$1

problem=$(evergrant call perspio /assets/v3/ 2>&1 >"$target.new")
code=$?
case $code in
  0) mv "$target.new" "$target" ;;
  7 | 10) rm -f "$target.new" ;; # the server asks to wait, or another process is at it: the next run will do
  *)
    rm -f "$target.new"
    printf '%s\n' "$problem" >&2
    exit "$code"
    ;;
esac
