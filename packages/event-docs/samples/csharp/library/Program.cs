// Receives webhooks with ASP.NET Core and the library of Standard Webhooks.
using System.Collections.Concurrent;
using System.Net;
using System.Text;
using StandardWebhooks;

const int bodyBytesMax = 1024 * 1024;

// One secret, or several separated by spaces while you rotate.
var secrets = (Environment.GetEnvironmentVariable("WEBHOOK_SECRET") ?? "")
    .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
// The library accepts an empty key, with which anybody could sign.
if (secrets.Length == 0 || secrets.Any(secret => secret.Length < 32))
{
    throw new InvalidOperationException("Set WEBHOOK_SECRET to whsec_…");
}
var webhooks = secrets.Select(secret => new Webhook(secret)).ToList();

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
    if (!IsAuthentic(request.Headers, body)) return Results.StatusCode(401);

    var id = request.Headers["webhook-id"].ToString();
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
bool IsAuthentic(IHeaderDictionary given, byte[] body)
{
    // The library takes the header collection of System.Net, not that of ASP.NET Core.
    var headers = new WebHeaderCollection();
    foreach (var name in new[] { "webhook-id", "webhook-timestamp", "webhook-signature" })
    {
        headers[name] = given[name].ToString();
    }
    // Not a StreamReader, which would drop a byte order mark that was signed.
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
