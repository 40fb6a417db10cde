<?php

// Receives webhooks with PHP and the library of Standard Webhooks.

declare(strict_types=1);

require __DIR__ . '/vendor/autoload.php';

use StandardWebhooks\Webhook;

const BODY_BYTES_MAX = 1024 * 1024;

/**
 * One secret, or several separated by spaces while you rotate.
 *
 * @return list<string>
 */
function readSecrets(): array
{
    $text = (string) getenv('WEBHOOK_SECRET');
    $secrets = preg_split('/\s+/', $text, -1, PREG_SPLIT_NO_EMPTY);
    foreach ($secrets as $secret) {
        // The library accepts an empty key, with which anybody could sign.
        if (strlen($secret) < 32) {
            throw new RuntimeException('WEBHOOK_SECRET is not whsec_…');
        }
    }
    if ($secrets === []) {
        throw new RuntimeException('Set WEBHOOK_SECRET to whsec_…');
    }
    return $secrets;
}

/** Whether this was signed with one of the secrets in the last five minutes. */
function isAuthentic(array $secrets, string $body, array $headers): bool
{
    foreach ($secrets as $secret) {
        try {
            (new Webhook($secret))->verify($body, $headers);
            return true;
        } catch (Throwable) {
            // A malformed header makes the library throw errors that are not its own.
        }
    }
    return false;
}

function receive(): int
{
    $secrets = readSecrets();
    // The raw body, exactly as sent: these bytes were signed.
    $body = file_get_contents('php://input', false, null, 0, BODY_BYTES_MAX + 1);
    if (strlen($body) > BODY_BYTES_MAX) {
        return 413;
    }
    // The library expects lower-case names.
    $headers = array_change_key_case(getallheaders());
    if (!isAuthentic($secrets, $body, $headers)) {
        return 401;
    }

    // An event that is sent again has the same id, and the table takes each id once.
    $database = new PDO('sqlite:events.sqlite');
    $database->exec('CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, body BLOB NOT NULL)');
    $keep = $database->prepare('INSERT OR IGNORE INTO events (id, body) VALUES (?, ?)');
    $keep->execute([$headers['webhook-id'], $body]);
    if ($keep->rowCount() === 1) {
        // Stored. Answer, and do the work later.
        // json_decode($body, true) has "type", "timestamp" and "data".
        error_log("received {$headers['webhook-id']}");
    }
    return 204;
}

// An uncaught exception is answered with 500, so that the event is sent again.
http_response_code(500);
http_response_code(receive());
