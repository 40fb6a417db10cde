// Receives webhooks with ASP.NET Core and the library of Standard Webhooks.
using System.Collections.Concurrent;
using System.Net;
using System.Text;
using StandardWebhooks;

const int bodyBytesMax = 1024 * 1024;

// One secret, or two with a space between while you change from one to the other.
var secrets = (Environment.GetEnvironmentVariable("WEBHOOK_SECRET") ?? "")
    .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
// The library takes a secret without a key, by which everybody could sign.
if (secrets.Length == 0 || secrets.Any(secret => secret.Length < 32)) throw new InvalidOperationException("Set WEBHOOK_SECRET to whsec_…");
var webhooks = secrets.Select(secret => new Webhook(secret)).ToList();

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
    if (!IsAuthentic(request.Headers, body)) return Results.StatusCode(400);

    var id = request.Headers["webhook-id"].ToString();
    if (events.TryAdd(id, body))
    {
        // Kept. Answer, and work on it afterwards: JsonDocument.Parse(body) has "type", "timestamp" and "data".
        Console.WriteLine($"received {id}");
    }
    return Results.StatusCode(204);
});

app.Run();

// Whether the holder of a secret signed exactly this, not more than five minutes ago.
bool IsAuthentic(IHeaderDictionary given, byte[] body)
{
    // The library knows the headers of System.Net, not those of ASP.NET Core.
    var headers = new WebHeaderCollection();
    foreach (var name in new[] { "webhook-id", "webhook-timestamp", "webhook-signature" }) headers[name] = given[name].ToString();
    // Not a StreamReader: it drops a byte order mark, which was signed.
    var text = Encoding.UTF8.GetString(body);
    return webhooks.Any(webhook =>
    {
        try
        {
            webhook.Verify(text, headers);
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    });
}
