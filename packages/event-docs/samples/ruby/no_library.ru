# frozen_string_literal: true

# Receives webhooks with Rack and nothing but Ruby's standard library to verify them.
require "openssl"

TOLERANCE_SECONDS = 300
BODY_BYTES_MAX = 1024 * 1024
$stdout.sync = true

# One secret, or two with a space between while you change from one to the other.
KEYS = ENV.fetch("WEBHOOK_SECRET", "").split.map { |secret| secret.delete_prefix("whsec_").unpack1("m0") }
abort "Set WEBHOOK_SECRET to whsec_…" if KEYS.empty? || KEYS.any? { |key| key.bytesize < 24 }

# Stands for your database: a table with a unique index on the id, which is the same when an event is sent again.
EVENTS = {}
LOCK = Mutex.new

# Whether the holder of a secret signed exactly this, not more than five minutes ago.
def authentic?(id, timestamp, signatures, body)
  return false unless id.match?(/\A[A-Za-z0-9_-]+\z/) && timestamp.match?(/\A[1-9][0-9]{0,10}\z/)
  return false unless signatures.match?(/\A[!-~]+( [!-~]+){0,31}\z/)
  return false if (Time.now.to_i - timestamp.to_i).abs > TOLERANCE_SECONDS

  signed = "#{id}.#{timestamp}.".b + body
  KEYS.any? do |key|
    expected = "v1,#{[OpenSSL::HMAC.digest("SHA256", key, signed)].pack("m0")}"
    signatures.split(" ").any? { |given| OpenSSL.secure_compare(given, expected) }
  end
end

def receive(env)
  # The body byte by byte as it was sent: the signature is over these bytes.
  body = env["rack.input"].read(BODY_BYTES_MAX + 1).to_s
  return 413 if body.bytesize > BODY_BYTES_MAX

  id, timestamp, signatures = %w[ID TIMESTAMP SIGNATURE].map { |name| env["HTTP_WEBHOOK_#{name}"].to_s }
  return 400 unless authentic?(id, timestamp, signatures, body)

  LOCK.synchronize do
    unless EVENTS.key?(id)
      # Keep it, answer, and work on it afterwards: JSON.parse(body) has "type", "timestamp" and "data".
      EVENTS[id] = body
      puts "received #{id}"
    end
  end
  204
end

run ->(env) { [env["REQUEST_METHOD"] == "POST" ? receive(env) : 405, {}, []] }
