//! Receives webhooks with axum and the crate `standardwebhooks`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::Router;
use standardwebhooks::Webhook;

const BODY_BYTES_MAX: usize = 1024 * 1024;

struct Receiver {
    webhooks: Vec<Webhook>,
    /// Stands in for your database. Use a table with a unique index on the id:
    /// an event that is sent again has the same id.
    events: Mutex<HashMap<String, Bytes>>,
}

/// One secret, or several separated by spaces while you rotate.
fn read_secrets() -> Vec<Webhook> {
    let text = std::env::var("WEBHOOK_SECRET").unwrap_or_default();
    let secrets: Vec<&str> = text.split_whitespace().collect();
    // The library accepts an empty key, with which anybody could sign.
    let are_whole = secrets.iter().all(|secret| secret.len() >= 32);
    assert!(!secrets.is_empty() && are_whole, "Set WEBHOOK_SECRET to whsec_…");
    secrets
        .into_iter()
        .map(|secret| Webhook::new(secret).expect("WEBHOOK_SECRET is whsec_ and base64"))
        .collect()
}

async fn receive(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    // `Bytes`, not `Json`: the raw body, exactly as sent, is what was signed.
    // It has to be signed with one of the secrets, in the last five minutes.
    if !receiver.webhooks.iter().any(|webhook| webhook.verify(&body, &headers).is_ok()) {
        return StatusCode::UNAUTHORIZED;
    }
    let Some(id) = headers.get("webhook-id").and_then(|id| id.to_str().ok()) else {
        return StatusCode::UNAUTHORIZED;
    };
    let mut events = receiver.events.lock().expect("nothing panics while it is held");
    if !events.contains_key(id) {
        // Store it, answer, and do the work later.
        // The body is JSON with "type", "timestamp" and "data".
        println!("received {id}");
        events.insert(id.to_owned(), body);
    }
    StatusCode::NO_CONTENT
}

#[tokio::main]
async fn main() {
    let receiver = Arc::new(Receiver { webhooks: read_secrets(), events: Mutex::default() });
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
