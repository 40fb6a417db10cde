"""Receives webhooks with Flask and the library `standardwebhooks`."""

import os
from threading import Lock

from flask import Flask, Response, request
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

# One secret, or several separated by spaces while you rotate.
SECRETS = os.environ.get("WEBHOOK_SECRET", "").split()
if not SECRETS:
    raise SystemExit("Set WEBHOOK_SECRET to whsec_…")
WEBHOOKS = [Webhook(secret) for secret in SECRETS]

# Stands in for your database. Use a table with a unique index on the id:
# an event that is sent again has the same id.
EVENTS: dict[str, bytes] = {}
LOCK = Lock()

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024


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


@app.post("/webhooks")
def receive() -> Response:
    # The raw body, exactly as sent, not request.json: these bytes were signed.
    body = request.get_data()
    if not is_authentic(body, dict(request.headers)):
        return Response(status=401)

    webhook_id = request.headers["webhook-id"]
    with LOCK:
        if webhook_id not in EVENTS:
            # Store it, answer, and do the work later.
            # json.loads(body) has "type", "timestamp" and "data".
            EVENTS[webhook_id] = body
            print(f"received {webhook_id}", flush=True)
    return Response(status=204)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", "8080")))
