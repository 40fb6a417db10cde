"""Receives webhooks with nothing but Python's standard library."""

import base64
import hashlib
import hmac
import os
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

TOLERANCE_SECONDS = 300
BODY_BYTES_MAX = 1024 * 1024

# One secret, or several separated by spaces while you rotate.
SECRETS = os.environ.get("WEBHOOK_SECRET", "").split()
KEYS = [base64.b64decode(secret.removeprefix("whsec_"), validate=True) for secret in SECRETS]
if not KEYS or any(len(key) < 24 for key in KEYS):
    raise SystemExit("Set WEBHOOK_SECRET to whsec_…")

# Stands in for your database. Use a table with a unique index on the id:
# an event that is sent again has the same id.
EVENTS: dict[str, bytes] = {}
LOCK = Lock()


def is_authentic(webhook_id: str, timestamp: str, signatures: str, body: bytes) -> bool:
    """Whether this was signed with one of the secrets in the last five minutes."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", webhook_id):
        return False
    if not re.fullmatch(r"[1-9][0-9]{0,10}", timestamp):
        return False
    if not re.fullmatch(r"[!-~]+( [!-~]+){0,31}", signatures):
        return False
    if abs(int(time.time()) - int(timestamp)) > TOLERANCE_SECONDS:
        return False

    signed = f"{webhook_id}.{timestamp}.".encode() + body
    for key in KEYS:
        expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        if any(hmac.compare_digest(given, expected) for given in signatures.split(" ")):
            return True
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
        webhook_id = self.header("webhook-id")
        timestamp = self.header("webhook-timestamp")
        signatures = self.header("webhook-signature")
        if not is_authentic(webhook_id, timestamp, signatures, body):
            return 401

        with LOCK:
            if webhook_id not in EVENTS:
                # Store it, answer, and do the work later.
                # json.loads(body) has "type", "timestamp" and "data".
                EVENTS[webhook_id] = body
                print(f"received {webhook_id}", flush=True)
        return 204

    def header(self, name: str) -> str:
        """A header that is sent twice is joined, and then matches no signature."""
        return ", ".join(self.headers.get_all(name, []))

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
