"""A token from the daemon, with Python's own library alone. Argument: the connection."""
import http.client, json, os, socket, sys

home = os.environ.get("EVERGRANT_HOME") or os.path.expanduser("~/.local/share/evergrant")
daemon = http.client.HTTPConnection("localhost")
daemon.sock = socket.socket(socket.AF_UNIX)
daemon.sock.connect(os.path.join(home, "run", "evergrant.sock"))
daemon.request("GET", f"/v1/connections/{sys.argv[1]}/token?minLife=1m")
answer = json.load(daemon.getresponse())
if "accessToken" not in answer:
    sys.exit(answer["detail"])
print("good for", answer["scope"], "until", answer["expiresAt"])
