"""Receives webhooks with Flask and the library `standardwebhooks`."""

import os
from threading import Lock

from flask import Flask, Response, request
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

# One secret, or two with a space between while you change from one to the other.
SECRETS = os.environ.get("WEBHOOK_SECRET", "").split()
if not SECRETS:
    raise SystemExit("Set WEBHOOK_SECRET to whsec_…")
WEBHOOKS = [Webhook(secret) for secret in SECRETS]

# Stands for your database: a table with a unique index on the id, which is the same when an event is sent again.
EVENTS: dict[str, bytes] = {}
LOCK = Lock()

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024


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


@app.post("/webhooks")
def receive() -> Response:
    # The body byte by byte as it was sent, not request.json: the signature is over these bytes.
    body = request.get_data()
    if not is_authentic(body, dict(request.headers)):
        return Response(status=400)

    webhook_id = request.headers["webhook-id"]
    with LOCK:
        if webhook_id not in EVENTS:
            # Keep it, answer, and work on it afterwards: json.loads(body) has "type", "timestamp" and "data".
            EVENTS[webhook_id] = body
            print(f"received {webhook_id}", flush=True)
    return Response(status=204)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", "8080")))
