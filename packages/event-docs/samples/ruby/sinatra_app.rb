# frozen_string_literal: true

# Receives webhooks with Sinatra and the library `standardwebhooks`.
require "sinatra"
require "standardwebhooks"

BODY_BYTES_MAX = 1024 * 1024
$stdout.sync = true

# One secret, or several separated by spaces while you rotate.
SECRETS = ENV.fetch("WEBHOOK_SECRET", "").split
# The library accepts an empty key, with which anybody could sign.
if SECRETS.empty? || SECRETS.any? { |secret| secret.length < 32 }
  abort "Set WEBHOOK_SECRET to whsec_…"
end
WEBHOOKS = SECRETS.map { |secret| StandardWebhooks::Webhook.new(secret) }

# Stands in for your database. Use a table with a unique index on the id:
# an event that is sent again has the same id.
EVENTS = {}
LOCK = Mutex.new

set :bind, "127.0.0.1"
set :port, ENV.fetch("PORT", "8080").to_i

# Whether this was signed with one of the secrets in the last five minutes.
def authentic?(body, headers)
  WEBHOOKS.any? do |webhook|
    webhook.verify(body, headers)
    true
  # A malformed header makes the library raise errors that are not its own.
  rescue StandardError
    false
  end
end

post "/webhooks" do
  # The raw body, exactly as sent: these bytes were signed.
  body = request.body.read(BODY_BYTES_MAX + 1).to_s
  halt 413 if body.bytesize > BODY_BYTES_MAX

  # The library expects lower-case names.
  headers = {
    "webhook-id" => request.env["HTTP_WEBHOOK_ID"],
    "webhook-timestamp" => request.env["HTTP_WEBHOOK_TIMESTAMP"],
    "webhook-signature" => request.env["HTTP_WEBHOOK_SIGNATURE"]
  }
  halt 401 unless authentic?(body, headers)

  LOCK.synchronize do
    id = headers["webhook-id"]
    unless EVENTS.key?(id)
      # Store it, answer, and do the work later.
      # JSON.parse(body) has "type", "timestamp" and "data".
      EVENTS[id] = body
      puts "received #{id}"
    end
  end
  status 204
end
