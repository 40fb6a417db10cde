// Receives webhooks with the JDK's own server and the library of Standard Webhooks.

import com.standardwebhooks.Webhook;
import com.standardwebhooks.exceptions.WebhookVerificationException;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;

public class Receiver {
    static final int BODY_BYTES_MAX = 1024 * 1024;

    // Stands for your database: a table with a unique index on the id, which is the same when an event is sent again.
    static final Map<String, byte[]> EVENTS = new ConcurrentHashMap<>();

    final List<Webhook> webhooks;

    Receiver(List<Webhook> webhooks) {
        this.webhooks = webhooks;
    }

    // One secret, or two with a space between while you change from one to the other.
    static List<Webhook> readSecrets(String text) {
        List<String> secrets = Arrays.stream((text == null ? "" : text).split("\\s+"))
            .filter(secret -> !secret.isEmpty())
            .toList();
        if (secrets.isEmpty() || secrets.stream().anyMatch(secret -> secret.length() < 32)) {
            throw new IllegalArgumentException("Set WEBHOOK_SECRET to whsec_…");
        }
        return secrets.stream().map(Webhook::new).toList();
    }

    // Whether the holder of a secret signed exactly this, not more than five minutes ago.
    boolean isAuthentic(Map<String, List<String>> headers, byte[] body) {
        String text = new String(body, StandardCharsets.UTF_8);
        for (Webhook webhook : webhooks) {
            try {
                webhook.verify(text, headers);
                return true;
            } catch (WebhookVerificationException | RuntimeException error) {
                // Beside its own exception the library lets others through for a header that is not well-formed.
            }
        }
        return false;
    }

    int receive(HttpExchange exchange) throws IOException {
        if (!exchange.getRequestMethod().equals("POST")) return 405;
        // The body byte by byte as it was sent: the signature is over these bytes.
        byte[] body = exchange.getRequestBody().readNBytes(BODY_BYTES_MAX + 1);
        if (body.length > BODY_BYTES_MAX) return 413;
        if (!isAuthentic(exchange.getRequestHeaders(), body)) return 400;

        String id = exchange.getRequestHeaders().getFirst("webhook-id");
        if (EVENTS.putIfAbsent(id, body) == null) {
            // Kept. Answer, and work on it afterwards: the body is JSON with "type", "timestamp" and "data".
            System.out.println("received " + id);
        }
        return 204;
    }

    void handle(HttpExchange exchange) throws IOException {
        int status = 500;
        try {
            status = receive(exchange);
        } catch (RuntimeException error) {
            error.printStackTrace();
        } finally {
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        }
    }

    public static void main(String[] arguments) throws IOException {
        Receiver receiver = new Receiver(readSecrets(System.getenv("WEBHOOK_SECRET")));
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8080"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/webhooks", receiver::handle);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.start();
        System.out.println("port " + server.getAddress().getPort());
    }
}
