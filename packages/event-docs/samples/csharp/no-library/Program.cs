// Receives webhooks with ASP.NET Core and nothing but .NET itself to verify them.
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

const int toleranceSeconds = 300;
const int bodyBytesMax = 1024 * 1024;

// One secret, or two with a space between while you change from one to the other.
var keys = (Environment.GetEnvironmentVariable("WEBHOOK_SECRET") ?? "")
    .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
    .Select(secret => Convert.FromBase64String(secret.StartsWith("whsec_") ? secret["whsec_".Length..] : secret))
    .ToList();
if (keys.Count == 0 || keys.Any(key => key.Length < 24)) throw new InvalidOperationException("Set WEBHOOK_SECRET to whsec_…");

// Stands for your database: a table with a unique index on the id, which is the same when an event is sent again.
var events = new ConcurrentDictionary<string, byte[]>();

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.UseUrls($"http://127.0.0.1:{Environment.GetEnvironmentVariable("PORT") ?? "8080"}");
// A longer body is answered with 413.
builder.WebHost.ConfigureKestrel(options => options.Limits.MaxRequestBodySize = bodyBytesMax);
var app = builder.Build();

app.MapPost("/webhooks", async (HttpRequest request) =>
{
    // The body byte by byte as it was sent, not a bound model: the signature is over these bytes.
    using var buffer = new MemoryStream();
    await request.Body.CopyToAsync(buffer);
    var body = buffer.ToArray();
    var id = request.Headers["webhook-id"].ToString();
    if (!IsAuthentic(id, request.Headers["webhook-timestamp"].ToString(), request.Headers["webhook-signature"].ToString(), body))
    {
        return Results.StatusCode(400);
    }

    if (events.TryAdd(id, body))
    {
        // Kept. Answer, and work on it afterwards: JsonDocument.Parse(body) has "type", "timestamp" and "data".
        Console.WriteLine($"received {id}");
    }
    return Results.StatusCode(204);
});

app.Run();

// Whether the holder of a secret signed exactly this, not more than five minutes ago.
bool IsAuthentic(string id, string timestamp, string signatures, byte[] body)
{
    if (!Regex.IsMatch(id, @"\A[A-Za-z0-9_-]+\z") || !Regex.IsMatch(timestamp, @"\A[1-9][0-9]{0,10}\z")) return false;
    if (!Regex.IsMatch(signatures, @"\A[!-~]+( [!-~]+){0,31}\z")) return false;
    if (Math.Abs(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - long.Parse(timestamp)) > toleranceSeconds) return false;

    byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
    return keys.Any(key =>
    {
        var expected = Encoding.UTF8.GetBytes("v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed)));
        return signatures.Split(' ').Any(given => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), expected));
    });
}
