"""Receives webhooks with FastAPI and the library `standardwebhooks`."""

import os

import uvicorn
from fastapi import FastAPI, Request, Response
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

BODY_BYTES_MAX = 1024 * 1024

# One secret, or two with a space between while you change from one to the other.
SECRETS = os.environ.get("WEBHOOK_SECRET", "").split()
if not SECRETS:
    raise SystemExit("Set WEBHOOK_SECRET to whsec_…")
WEBHOOKS = [Webhook(secret) for secret in SECRETS]

# Stands for your database: a table with a unique index on the id, which is the same when an event is sent again.
EVENTS: dict[str, bytes] = {}

app = FastAPI()


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
async def receive(request: Request) -> Response:
    # The body byte by byte as it was sent, not a parsed model: the signature is over these bytes.
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return Response(status_code=413)
    if not is_authentic(bytes(body), dict(request.headers)):
        return Response(status_code=400)

    webhook_id = request.headers["webhook-id"]
    if webhook_id not in EVENTS:
        # Keep it, answer, and work on it afterwards: json.loads(body) has "type", "timestamp" and "data".
        EVENTS[webhook_id] = bytes(body)
        print(f"received {webhook_id}", flush=True)
    return Response(status_code=204)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8080")))
