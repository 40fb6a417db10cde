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

# One secret, or two with a space between while you change from one to the other.
SECRETS = os.environ.get("WEBHOOK_SECRET", "").split()
KEYS = [base64.b64decode(secret.removeprefix("whsec_"), validate=True) for secret in SECRETS]
if not KEYS or any(len(key) < 24 for key in KEYS):
    raise SystemExit("Set WEBHOOK_SECRET to whsec_…")

# Stands for your database: a table with a unique index on the id, which is the same when an event is sent again.
EVENTS: dict[str, bytes] = {}
LOCK = Lock()


def is_authentic(webhook_id: str, timestamp: str, signatures: str, body: bytes) -> bool:
    """Whether the holder of a secret signed exactly this, not more than five minutes ago."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", webhook_id) or not re.fullmatch(r"[1-9][0-9]{0,10}", timestamp):
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
        webhook_id = self.header("webhook-id")
        if not is_authentic(webhook_id, self.header("webhook-timestamp"), self.header("webhook-signature"), body):
            return 400

        with LOCK:
            if webhook_id not in EVENTS:
                # Keep it, answer, and work on it afterwards: json.loads(body) has "type", "timestamp" and "data".
                EVENTS[webhook_id] = body
                print(f"received {webhook_id}", flush=True)
        return 204

    def header(self, name: str) -> str:
        """A header that comes twice is joined, and then fits no signature."""
        return ", ".join(self.headers.get_all(name, []))

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
