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

    // Stands for your database: a table with a unique index on the id, which is the same when an event is sent again.
    static final Map<String, byte[]> EVENTS = new ConcurrentHashMap<>();

    final List<byte[]> keys;

    Receiver(List<byte[]> keys) {
        this.keys = keys;
    }

    // One secret, or two with a space between while you change from one to the other.
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

    // Whether the holder of a secret signed exactly this, not more than five minutes ago.
    boolean isAuthentic(String id, String timestamp, String signatures, byte[] body) throws GeneralSecurityException {
        if (!id.matches("[A-Za-z0-9_-]+") || !timestamp.matches("[1-9][0-9]{0,10}")) return false;
        if (!signatures.matches("[!-~]+( [!-~]+){0,31}")) return false;
        long age = Instant.now().getEpochSecond() - Long.parseLong(timestamp);
        if (Math.abs(age) > TOLERANCE_SECONDS) return false;

        for (byte[] key : keys) {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
            String expected = "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
            for (String given : signatures.split(" ")) {
                if (MessageDigest.isEqual(given.getBytes(StandardCharsets.UTF_8), expected.getBytes(StandardCharsets.UTF_8))) {
                    return true;
                }
            }
        }
        return false;
    }

    int receive(HttpExchange exchange) throws IOException, GeneralSecurityException {
        if (!exchange.getRequestMethod().equals("POST")) return 405;
        // The body byte by byte as it was sent: the signature is over these bytes.
        byte[] body = exchange.getRequestBody().readNBytes(BODY_BYTES_MAX + 1);
        if (body.length > BODY_BYTES_MAX) return 413;
        Headers headers = exchange.getRequestHeaders();
        String id = header(headers, "webhook-id");
        if (!isAuthentic(id, header(headers, "webhook-timestamp"), header(headers, "webhook-signature"), body)) return 400;

        if (EVENTS.putIfAbsent(id, body) == null) {
            // Kept. Answer, and work on it afterwards: the body is JSON with "type", "timestamp" and "data".
            System.out.println("received " + id);
        }
        return 204;
    }

    // A header that comes twice is joined, and then fits no signature.
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
