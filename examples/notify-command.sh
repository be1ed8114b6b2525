#!/bin/sh
# Hands notices on to a chat or paging service that takes JSON by POST. In settings.json of the home:
#
#   { "notifyCommand": ["/usr/local/bin/notify-command.sh", "https://hooks.example.com/evergrant"] }
#
# The notice comes on standard input: {"id":7,"connection":"perspio","kind":"attention","actor":"owner","at":…,"message":"…"}.
# Any exit code but 0 keeps the notice; it is tried again.
exec curl --fail --silent --show-error --max-time 20 \
  --header 'content-type: application/json' --data-binary @- --output /dev/null "$1"
