# frozen_string_literal: true

# Receives webhooks with Rack and nothing but Ruby's standard library to verify them.
require "openssl"

TOLERANCE_SECONDS = 300
BODY_BYTES_MAX = 1024 * 1024
$stdout.sync = true

# One secret, or several separated by spaces while you rotate.
SECRETS = ENV.fetch("WEBHOOK_SECRET", "").split
KEYS = SECRETS.map { |secret| secret.delete_prefix("whsec_").unpack1("m0") }
abort "Set WEBHOOK_SECRET to whsec_…" if KEYS.empty? || KEYS.any? { |key| key.bytesize < 24 }

# Stands in for your database. Use a table with a unique index on the id:
# an event that is sent again has the same id.
EVENTS = {}
LOCK = Mutex.new

# Whether this was signed with one of the secrets in the last five minutes.
def authentic?(id, timestamp, signatures, body)
  return false unless id.match?(/\A[A-Za-z0-9_-]+\z/)
  return false unless timestamp.match?(/\A[1-9][0-9]{0,10}\z/)
  return false unless signatures.match?(/\A[!-~]+( [!-~]+){0,31}\z/)
  return false if (Time.now.to_i - timestamp.to_i).abs > TOLERANCE_SECONDS

  signed = "#{id}.#{timestamp}.".b + body
  KEYS.any? do |key|
    expected = "v1,#{[OpenSSL::HMAC.digest("SHA256", key, signed)].pack("m0")}"
    signatures.split(" ").any? { |given| OpenSSL.secure_compare(given, expected) }
  end
end

def receive(env)
  # The raw body, exactly as sent: these bytes were signed.
  body = env["rack.input"].read(BODY_BYTES_MAX + 1).to_s
  return 413 if body.bytesize > BODY_BYTES_MAX

  id = env["HTTP_WEBHOOK_ID"].to_s
  timestamp = env["HTTP_WEBHOOK_TIMESTAMP"].to_s
  signatures = env["HTTP_WEBHOOK_SIGNATURE"].to_s
  return 401 unless authentic?(id, timestamp, signatures, body)

  LOCK.synchronize do
    unless EVENTS.key?(id)
      # Store it, answer, and do the work later.
      # JSON.parse(body) has "type", "timestamp" and "data".
      EVENTS[id] = body
      puts "received #{id}"
    end
  end
  204
end

run ->(env) { [env["REQUEST_METHOD"] == "POST" ? receive(env) : 405, {}, []] }
