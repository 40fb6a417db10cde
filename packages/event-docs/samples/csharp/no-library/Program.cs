// Receives webhooks with ASP.NET Core and nothing but .NET itself to verify them.
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

const int toleranceSeconds = 300;
const int bodyBytesMax = 1024 * 1024;

// One secret, or several separated by spaces while you rotate.
var keys = (Environment.GetEnvironmentVariable("WEBHOOK_SECRET") ?? "")
    .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
    .Select(secret => secret.StartsWith("whsec_") ? secret["whsec_".Length..] : secret)
    .Select(Convert.FromBase64String)
    .ToList();
if (keys.Count == 0 || keys.Any(key => key.Length < 24))
{
    throw new InvalidOperationException("Set WEBHOOK_SECRET to whsec_…");
}

// Stands in for your database. Use a table with a unique index on the id:
// an event that is sent again has the same id.
var events = new ConcurrentDictionary<string, byte[]>();

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.UseUrls($"http://127.0.0.1:{Environment.GetEnvironmentVariable("PORT") ?? "8080"}");
// A longer body is answered with 413.
builder.WebHost.ConfigureKestrel(options => options.Limits.MaxRequestBodySize = bodyBytesMax);
var app = builder.Build();

app.MapPost("/webhooks", async (HttpRequest request) =>
{
    // The raw body, exactly as sent, not a bound model: these bytes were signed.
    using var buffer = new MemoryStream();
    await request.Body.CopyToAsync(buffer);
    var body = buffer.ToArray();
    var id = request.Headers["webhook-id"].ToString();
    var timestamp = request.Headers["webhook-timestamp"].ToString();
    var signatures = request.Headers["webhook-signature"].ToString();
    if (!IsAuthentic(id, timestamp, signatures, body)) return Results.StatusCode(401);

    if (events.TryAdd(id, body))
    {
        // Stored. Answer, and do the work later.
        // JsonDocument.Parse(body) has "type", "timestamp" and "data".
        Console.WriteLine($"received {id}");
    }
    return Results.StatusCode(204);
});

app.Run();

// Whether this was signed with one of the secrets in the last five minutes.
bool IsAuthentic(string id, string timestamp, string signatures, byte[] body)
{
    if (!Regex.IsMatch(id, @"\A[A-Za-z0-9_-]+\z")) return false;
    if (!Regex.IsMatch(timestamp, @"\A[1-9][0-9]{0,10}\z")) return false;
    if (!Regex.IsMatch(signatures, @"\A[!-~]+( [!-~]+){0,31}\z")) return false;
    var age = DateTimeOffset.UtcNow.ToUnixTimeSeconds() - long.Parse(timestamp);
    if (Math.Abs(age) > toleranceSeconds) return false;

    byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
    return keys.Any(key =>
    {
        var hmac = HMACSHA256.HashData(key, signed);
        var expected = Encoding.UTF8.GetBytes("v1," + Convert.ToBase64String(hmac));
        return signatures.Split(' ')
            .Select(Encoding.UTF8.GetBytes)
            .Any(given => CryptographicOperations.FixedTimeEquals(given, expected));
    });
}
