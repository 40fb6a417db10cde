"""Receives webhooks with FastAPI and the library `standardwebhooks`."""

import os

import uvicorn
from fastapi import FastAPI, Request, Response
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

app = FastAPI()


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
async def receive(request: Request) -> Response:
    # The raw body, exactly as sent, not a parsed model: these bytes were signed.
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return Response(status_code=413)
    if not is_authentic(bytes(body), dict(request.headers)):
        return Response(status_code=401)

    webhook_id = request.headers["webhook-id"]
    if webhook_id not in EVENTS:
        # Store it, answer, and do the work later.
        # json.loads(body) has "type", "timestamp" and "data".
        EVENTS[webhook_id] = bytes(body)
        print(f"received {webhook_id}", flush=True)
    return Response(status_code=204)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8080")))
