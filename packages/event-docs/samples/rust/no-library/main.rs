//! Receives webhooks with axum and the crates hmac, sha2 and base64, as Rust's standard
//! library has no SHA-256.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::Router;
use base64::prelude::{Engine, BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const TOLERANCE_SECONDS: u64 = 300;
const BODY_BYTES_MAX: usize = 1024 * 1024;

struct Receiver {
    keys: Vec<Vec<u8>>,
    /// Stands in for your database. Use a table with a unique index on the id:
    /// an event that is sent again has the same id.
    events: Mutex<HashMap<String, Bytes>>,
}

/// One secret, or several separated by spaces while you rotate.
fn read_keys() -> Vec<Vec<u8>> {
    let secrets = std::env::var("WEBHOOK_SECRET").unwrap_or_default();
    let keys: Vec<Vec<u8>> = secrets
        .split_whitespace()
        .map(|secret| secret.strip_prefix("whsec_").unwrap_or(secret))
        .map(|secret| BASE64_STANDARD.decode(secret).expect("WEBHOOK_SECRET is base64"))
        .collect();
    let are_whole = keys.iter().all(|key| key.len() >= 24);
    assert!(!keys.is_empty() && are_whole, "Set WEBHOOK_SECRET to whsec_…");
    keys
}

/// The value of a header that occurs exactly once.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Digits as `u64` prints them: no sign, no leading zero.
fn seconds(timestamp: &str) -> Option<u64> {
    let seconds: u64 = timestamp.parse().ok()?;
    (seconds.to_string() == timestamp).then_some(seconds)
}

/// The id, if this was signed with one of the secrets in the last five minutes.
fn authentic_id(keys: &[Vec<u8>], headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let id = header(headers, "webhook-id")?;
    let timestamp = header(headers, "webhook-timestamp")?;
    let signatures: Vec<&str> = header(headers, "webhook-signature")?.split(' ').collect();
    let is_known = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if id.is_empty() || !id.chars().all(is_known) {
        return None;
    }
    if signatures.len() > 32 || signatures.contains(&"") {
        return None;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    if now.abs_diff(seconds(timestamp)?) > TOLERANCE_SECONDS {
        return None;
    }

    let given: Vec<Vec<u8>> = signatures
        .iter()
        .filter_map(|signature| BASE64_STANDARD.decode(signature.strip_prefix("v1,")?).ok())
        .collect();
    let fits = keys.iter().any(|key| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        // `verify_slice` compares in constant time.
        given.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    });
    fits.then(|| id.to_owned())
}

async fn receive(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    // `Bytes`, not `Json`: the raw body, exactly as sent, is what was signed.
    let Some(id) = authentic_id(&receiver.keys, &headers, &body) else {
        return StatusCode::UNAUTHORIZED;
    };
    let mut events = receiver.events.lock().expect("nothing panics while it is held");
    if !events.contains_key(&id) {
        // Store it, answer, and do the work later.
        // The body is JSON with "type", "timestamp" and "data".
        println!("received {id}");
        events.insert(id, body);
    }
    StatusCode::NO_CONTENT
}

#[tokio::main]
async fn main() {
    let receiver = Arc::new(Receiver { keys: read_keys(), events: Mutex::default() });
    let app = Router::new()
        .route("/webhooks", post(receive))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(receiver);
    let port = std::env::var("PORT").unwrap_or_else(|_| "8080".to_owned());
    let address = format!("127.0.0.1:{port}");
    let listener = tokio::net::TcpListener::bind(address).await.expect("the port is free");
    println!("port {}", listener.local_addr().expect("it is bound").port());
    axum::serve(listener, app).await.expect("the server goes on");
}
