# frozen_string_literal: true

# Receives webhooks with Sinatra and the library `standardwebhooks`.
require "sinatra"
require "standardwebhooks"

BODY_BYTES_MAX = 1024 * 1024
$stdout.sync = true

# One secret, or two with a space between while you change from one to the other.
SECRETS = ENV.fetch("WEBHOOK_SECRET", "").split
# The library takes a secret without a key, by which everybody could sign.
abort "Set WEBHOOK_SECRET to whsec_…" if SECRETS.empty? || SECRETS.any? { |secret| secret.length < 32 }
WEBHOOKS = SECRETS.map { |secret| StandardWebhooks::Webhook.new(secret) }

# Stands for your database: a table with a unique index on the id, which is the same when an event is sent again.
EVENTS = {}
LOCK = Mutex.new

set :bind, "127.0.0.1"
set :port, ENV.fetch("PORT", "8080").to_i

# Whether the holder of a secret signed exactly this, not more than five minutes ago.
def authentic?(body, headers)
  WEBHOOKS.any? do |webhook|
    webhook.verify(body, headers)
    true
  # Beside its own errors the library raises those of Ruby for a header that is not well-formed.
  rescue StandardError
    false
  end
end

post "/webhooks" do
  # The body byte by byte as it was sent: the signature is over these bytes.
  body = request.body.read(BODY_BYTES_MAX + 1).to_s
  halt 413 if body.bytesize > BODY_BYTES_MAX

  # The library knows the names in lower case only.
  headers = {
    "webhook-id" => request.env["HTTP_WEBHOOK_ID"],
    "webhook-timestamp" => request.env["HTTP_WEBHOOK_TIMESTAMP"],
    "webhook-signature" => request.env["HTTP_WEBHOOK_SIGNATURE"]
  }
  halt 400 unless authentic?(body, headers)

  LOCK.synchronize do
    id = headers["webhook-id"]
    unless EVENTS.key?(id)
      # Keep it, answer, and work on it afterwards: JSON.parse(body) has "type", "timestamp" and "data".
      EVENTS[id] = body
      puts "received #{id}"
    end
  end
  status 204
end
