"""Receives webhooks with Python's own server and the library `standardwebhooks`."""

import os
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

BODY_BYTES_MAX = 1024 * 1024

# One secret, or two with a space between while you change from one to the other.
SECRETS = os.environ.get("WEBHOOK_SECRET", "").split()
if not SECRETS:
    raise SystemExit("Set WEBHOOK_SECRET to whsec_…")
WEBHOOKS = [Webhook(secret) for secret in SECRETS]

# Stands for your database: a table with a unique index on the id, which is the same when an event is sent again.
EVENTS: dict[str, bytes] = {}
LOCK = Lock()


def is_authentic(body: bytes, headers: dict[str, str]) -> bool:
    """Whether the holder of a secret signed exactly this, not more than five minutes ago."""
    for webhook in WEBHOOKS:
        try:
            webhook.verify(body, headers, json_parse=False)
            return True
        # The library raises a ValueError of Python for a header that is not well-formed.
        except (WebhookVerificationError, ValueError):
            continue
    return False


class Receiver(BaseHTTPRequestHandler):
    timeout = 10  # seconds for whoever sends less than was announced

    def do_POST(self) -> None:
        self.answer(self.receive())

    def receive(self) -> int:
        length = self.headers.get("content-length", "")
        if not re.fullmatch(r"[0-9]{1,10}", length):
            return 411
        if int(length) > BODY_BYTES_MAX:
            return 413
        # The body byte by byte as it was sent: the signature is over these bytes.
        body = self.rfile.read(int(length))
        if not is_authentic(body, dict(self.headers)):
            return 400

        webhook_id = self.headers["webhook-id"]
        with LOCK:
            if webhook_id not in EVENTS:
                # Keep it, answer, and work on it afterwards: json.loads(body) has "type", "timestamp" and "data".
                EVENTS[webhook_id] = body
                print(f"received {webhook_id}", flush=True)
        return 204

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not a line for each request."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Receiver)
    print(f"port {server.server_port}", flush=True)
    server.serve_forever()
