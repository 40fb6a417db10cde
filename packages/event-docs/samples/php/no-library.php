<?php

// Receives webhooks with nothing but PHP itself.

declare(strict_types=1);

const TOLERANCE_SECONDS = 300;
const BODY_BYTES_MAX = 1024 * 1024;

/**
 * One secret, or several separated by spaces while you rotate.
 *
 * @return list<string>
 */
function readKeys(): array
{
    $keys = [];
    $secrets = (string) getenv('WEBHOOK_SECRET');
    foreach (preg_split('/\s+/', $secrets, -1, PREG_SPLIT_NO_EMPTY) as $secret) {
        $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
        if ($key === false || strlen($key) < 24) {
            throw new RuntimeException('WEBHOOK_SECRET is not whsec_…');
        }
        $keys[] = $key;
    }
    if ($keys === []) {
        throw new RuntimeException('Set WEBHOOK_SECRET to whsec_…');
    }
    return $keys;
}

/** Whether this was signed with one of the secrets in the last five minutes. */
function isAuthentic(
    array $keys,
    string $id,
    string $timestamp,
    string $signatures,
    string $body,
): bool {
    if (!preg_match('/\A[A-Za-z0-9_-]+\z/', $id)) {
        return false;
    }
    if (!preg_match('/\A[1-9][0-9]{0,10}\z/', $timestamp)) {
        return false;
    }
    if (!preg_match('/\A[!-~]+( [!-~]+){0,31}\z/', $signatures)) {
        return false;
    }
    if (abs(time() - (int) $timestamp) > TOLERANCE_SECONDS) {
        return false;
    }

    foreach ($keys as $key) {
        $hmac = hash_hmac('sha256', "$id.$timestamp.$body", $key, true);
        $expected = 'v1,' . base64_encode($hmac);
        foreach (explode(' ', $signatures) as $given) {
            if (hash_equals($expected, $given)) {
                return true;
            }
        }
    }
    return false;
}

function receive(): int
{
    $keys = readKeys();
    // The raw body, exactly as sent: these bytes were signed.
    $body = file_get_contents('php://input', false, null, 0, BODY_BYTES_MAX + 1);
    if (strlen($body) > BODY_BYTES_MAX) {
        return 413;
    }
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    $signatures = $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '';
    if (!isAuthentic($keys, $id, $timestamp, $signatures, $body)) {
        return 401;
    }

    // An event that is sent again has the same id, and the table takes each id once.
    $database = new PDO('sqlite:events.sqlite');
    $database->exec('CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, body BLOB NOT NULL)');
    $keep = $database->prepare('INSERT OR IGNORE INTO events (id, body) VALUES (?, ?)');
    $keep->execute([$id, $body]);
    if ($keep->rowCount() === 1) {
        // Stored. Answer, and do the work later.
        // json_decode($body, true) has "type", "timestamp" and "data".
        error_log("received $id");
    }
    return 204;
}

// An uncaught exception is answered with 500, so that the event is sent again.
http_response_code(500);
http_response_code(receive());
