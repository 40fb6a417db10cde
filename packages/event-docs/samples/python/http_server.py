"""Receives webhooks with Python's own server and the library `standardwebhooks`."""

import os
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

BODY_BYTES_MAX = 1024 * 1024

# One secret, or several separated by spaces while you rotate.
SECRETS = os.environ.get("WEBHOOK_SECRET", "").split()
if not SECRETS:
    raise SystemExit("Set WEBHOOK_SECRET to whsec_…")
WEBHOOKS = [Webhook(secret) for secret in SECRETS]

# Stands in for your database. Use a table with a unique index on the id:
# an event that is sent again has the same id.
EVENTS: dict[str, bytes] = {}
LOCK = Lock()


def is_authentic(body: bytes, headers: dict[str, str]) -> bool:
    """Whether this was signed with one of the secrets in the last five minutes."""
    for webhook in WEBHOOKS:
        try:
            webhook.verify(body, headers, json_parse=False)
            return True
        # The library raises ValueError for a malformed header.
        except (WebhookVerificationError, ValueError):
            continue
    return False


class Receiver(BaseHTTPRequestHandler):
    timeout = 10  # seconds, for a client that sends less than it announced

    def do_POST(self) -> None:
        self.answer(self.receive())

    def receive(self) -> int:
        length = self.headers.get("content-length", "")
        if not re.fullmatch(r"[0-9]{1,10}", length):
            return 411
        if int(length) > BODY_BYTES_MAX:
            return 413
        # The raw body, exactly as sent: these bytes were signed.
        body = self.rfile.read(int(length))
        if not is_authentic(body, dict(self.headers)):
            return 401

        webhook_id = self.headers["webhook-id"]
        with LOCK:
            if webhook_id not in EVENTS:
                # Store it, answer, and do the work later.
                # json.loads(body) has "type", "timestamp" and "data".
                EVENTS[webhook_id] = body
                print(f"received {webhook_id}", flush=True)
        return 204

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """No line for every request."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Receiver)
    print(f"port {server.server_port}", flush=True)
    server.serve_forever()
