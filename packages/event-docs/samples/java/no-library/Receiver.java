// Receives webhooks with nothing but the JDK.

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Receiver {
    static final int TOLERANCE_SECONDS = 300;
    static final int BODY_BYTES_MAX = 1024 * 1024;

    // Stands in for your database. Use a table with a unique index on the id:
    // an event that is sent again has the same id.
    static final Map<String, byte[]> EVENTS = new ConcurrentHashMap<>();

    final List<byte[]> keys;

    Receiver(List<byte[]> keys) {
        this.keys = keys;
    }

    // One secret, or several separated by spaces while you rotate.
    static List<byte[]> readKeys(String secrets) {
        List<byte[]> keys = Arrays.stream((secrets == null ? "" : secrets).split("\\s+"))
            .filter(secret -> !secret.isEmpty())
            .map(secret -> Base64.getDecoder().decode(secret.replaceFirst("^whsec_", "")))
            .toList();
        if (keys.isEmpty() || keys.stream().anyMatch(key -> key.length < 24)) {
            throw new IllegalArgumentException("Set WEBHOOK_SECRET to whsec_…");
        }
        return keys;
    }

    // Whether this was signed with one of the secrets in the last five minutes.
    boolean isAuthentic(String id, String timestamp, String signatures, byte[] body)
        throws GeneralSecurityException {
        if (!id.matches("[A-Za-z0-9_-]+")) return false;
        if (!timestamp.matches("[1-9][0-9]{0,10}")) return false;
        if (!signatures.matches("[!-~]+( [!-~]+){0,31}")) return false;
        long age = Instant.now().getEpochSecond() - Long.parseLong(timestamp);
        if (Math.abs(age) > TOLERANCE_SECONDS) return false;

        for (byte[] key : keys) {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
            String signature = "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
            byte[] expected = signature.getBytes(StandardCharsets.UTF_8);
            for (String given : signatures.split(" ")) {
                byte[] bytes = given.getBytes(StandardCharsets.UTF_8);
                if (MessageDigest.isEqual(bytes, expected)) return true;
            }
        }
        return false;
    }

    int receive(HttpExchange exchange) throws IOException, GeneralSecurityException {
        if (!exchange.getRequestMethod().equals("POST")) return 405;
        // The raw body, exactly as sent: these bytes were signed.
        byte[] body = exchange.getRequestBody().readNBytes(BODY_BYTES_MAX + 1);
        if (body.length > BODY_BYTES_MAX) return 413;
        Headers headers = exchange.getRequestHeaders();
        String id = header(headers, "webhook-id");
        String timestamp = header(headers, "webhook-timestamp");
        String signatures = header(headers, "webhook-signature");
        if (!isAuthentic(id, timestamp, signatures, body)) return 401;

        if (EVENTS.putIfAbsent(id, body) == null) {
            // Stored. Answer, and do the work later.
            // The body is JSON with "type", "timestamp" and "data".
            System.out.println("received " + id);
        }
        return 204;
    }

    // A header that is sent twice is joined, and then matches no signature.
    static String header(Headers headers, String name) {
        return String.join(", ", headers.getOrDefault(name, List.of()));
    }

    void handle(HttpExchange exchange) throws IOException {
        int status = 500;
        try {
            status = receive(exchange);
        } catch (GeneralSecurityException | RuntimeException error) {
            error.printStackTrace();
        } finally {
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        }
    }

    public static void main(String[] arguments) throws IOException {
        Receiver receiver = new Receiver(readKeys(System.getenv("WEBHOOK_SECRET")));
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8080"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/webhooks", receiver::handle);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.start();
        System.out.println("port " + server.getAddress().getPort());
    }
}
