<?php

// Receives webhooks with nothing but PHP itself.

declare(strict_types=1);

const TOLERANCE_SECONDS = 300;
const BODY_BYTES_MAX = 1024 * 1024;

/**
 * One secret, or two with a space between while you change from one to the other.
 *
 * @return list<string>
 */
function readKeys(): array
{
    $keys = [];
    foreach (preg_split('/\s+/', (string) getenv('WEBHOOK_SECRET'), -1, PREG_SPLIT_NO_EMPTY) as $secret) {
        $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
        if ($key === false || strlen($key) < 24) {
            throw new RuntimeException('WEBHOOK_SECRET is not whsec_…');
        }
        $keys[] = $key;
    }
    return $keys === [] ? throw new RuntimeException('Set WEBHOOK_SECRET to whsec_…') : $keys;
}

/** Whether the holder of a secret signed exactly this, not more than five minutes ago. */
function isAuthentic(array $keys, string $id, string $timestamp, string $signatures, string $body): bool
{
    if (!preg_match('/\A[A-Za-z0-9_-]+\z/', $id) || !preg_match('/\A[1-9][0-9]{0,10}\z/', $timestamp)) {
        return false;
    }
    if (!preg_match('/\A[!-~]+( [!-~]+){0,31}\z/', $signatures)) {
        return false;
    }
    if (abs(time() - (int) $timestamp) > TOLERANCE_SECONDS) {
        return false;
    }

    foreach ($keys as $key) {
        $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
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
    // The body byte by byte as it was sent: the signature is over these bytes.
    $body = file_get_contents('php://input', false, null, 0, BODY_BYTES_MAX + 1);
    if (strlen($body) > BODY_BYTES_MAX) {
        return 413;
    }
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    $signatures = $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '';
    if (!isAuthentic($keys, $id, $timestamp, $signatures, $body)) {
        return 400;
    }

    // The id is the same when an event is sent again: the table takes it once.
    $database = new PDO('sqlite:events.sqlite');
    $database->exec('CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, body BLOB NOT NULL)');
    $keep = $database->prepare('INSERT OR IGNORE INTO events (id, body) VALUES (?, ?)');
    $keep->execute([$id, $body]);
    if ($keep->rowCount() === 1) {
        // Kept. Answer, and work on it afterwards: json_decode($body, true) has "type", "timestamp" and "data".
        error_log("received $id");
    }
    return 204;
}

// An exception that nothing catches is answered with 500, and the event is sent again.
http_response_code(500);
http_response_code(receive());
