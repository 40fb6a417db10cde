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

    // Stands in for your database. Use a table with a unique index on the id:
    // an event that is sent again has the same id.
    static final Map<String, byte[]> EVENTS = new ConcurrentHashMap<>();

    final List<Webhook> webhooks;

    Receiver(List<Webhook> webhooks) {
        this.webhooks = webhooks;
    }

    // One secret, or several separated by spaces while you rotate.
    static List<Webhook> readSecrets(String text) {
        List<String> secrets = Arrays.stream((text == null ? "" : text).split("\\s+"))
            .filter(secret -> !secret.isEmpty())
            .toList();
        if (secrets.isEmpty() || secrets.stream().anyMatch(secret -> secret.length() < 32)) {
            throw new IllegalArgumentException("Set WEBHOOK_SECRET to whsec_…");
        }
        return secrets.stream().map(Webhook::new).toList();
    }

    // Whether this was signed with one of the secrets in the last five minutes.
    boolean isAuthentic(Map<String, List<String>> headers, byte[] body) {
        String text = new String(body, StandardCharsets.UTF_8);
        for (Webhook webhook : webhooks) {
            try {
                webhook.verify(text, headers);
                return true;
            } catch (WebhookVerificationException | RuntimeException error) {
                // A malformed header makes the library throw exceptions that are not its own.
            }
        }
        return false;
    }

    int receive(HttpExchange exchange) throws IOException {
        if (!exchange.getRequestMethod().equals("POST")) return 405;
        // The raw body, exactly as sent: these bytes were signed.
        byte[] body = exchange.getRequestBody().readNBytes(BODY_BYTES_MAX + 1);
        if (body.length > BODY_BYTES_MAX) return 413;
        if (!isAuthentic(exchange.getRequestHeaders(), body)) return 401;

        String id = exchange.getRequestHeaders().getFirst("webhook-id");
        if (EVENTS.putIfAbsent(id, body) == null) {
            // Stored. Answer, and do the work later.
            // The body is JSON with "type", "timestamp" and "data".
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
