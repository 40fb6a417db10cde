<?php

// Receives webhooks with PHP and the library of Standard Webhooks.

declare(strict_types=1);

require __DIR__ . '/vendor/autoload.php';

use StandardWebhooks\Webhook;

const BODY_BYTES_MAX = 1024 * 1024;

/**
 * One secret, or two with a space between while you change from one to the other.
 *
 * @return list<string>
 */
function readSecrets(): array
{
    $secrets = preg_split('/\s+/', (string) getenv('WEBHOOK_SECRET'), -1, PREG_SPLIT_NO_EMPTY);
    foreach ($secrets as $secret) {
        // The library takes a secret without a key, by which everybody could sign.
        if (strlen($secret) < 32) {
            throw new RuntimeException('WEBHOOK_SECRET is not whsec_…');
        }
    }
    return $secrets === [] ? throw new RuntimeException('Set WEBHOOK_SECRET to whsec_…') : $secrets;
}

/** Whether the holder of a secret signed exactly this, not more than five minutes ago. */
function isAuthentic(array $secrets, string $body, array $headers): bool
{
    foreach ($secrets as $secret) {
        try {
            (new Webhook($secret))->verify($body, $headers);
            return true;
        } catch (Throwable) {
            // Beside its own exceptions the library lets errors of PHP through for a header that is not well-formed.
        }
    }
    return false;
}

function receive(): int
{
    $secrets = readSecrets();
    // The body byte by byte as it was sent: the signature is over these bytes.
    $body = file_get_contents('php://input', false, null, 0, BODY_BYTES_MAX + 1);
    if (strlen($body) > BODY_BYTES_MAX) {
        return 413;
    }
    // The library knows the names in lower case only.
    $headers = array_change_key_case(getallheaders());
    if (!isAuthentic($secrets, $body, $headers)) {
        return 400;
    }

    // The id is the same when an event is sent again: the table takes it once.
    $database = new PDO('sqlite:events.sqlite');
    $database->exec('CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, body BLOB NOT NULL)');
    $keep = $database->prepare('INSERT OR IGNORE INTO events (id, body) VALUES (?, ?)');
    $keep->execute([$headers['webhook-id'], $body]);
    if ($keep->rowCount() === 1) {
        // Kept. Answer, and work on it afterwards: json_decode($body, true) has "type", "timestamp" and "data".
        error_log("received {$headers['webhook-id']}");
    }
    return 204;
}

// An exception that nothing catches is answered with 500, and the event is sent again.
http_response_code(500);
http_response_code(receive());
