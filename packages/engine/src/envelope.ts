/**
 * The body that a receiver gets: `{"type","timestamp","data"}` (Standard Webhooks 1.0, "Payload structure"), with the
 * publisher's bytes of `data` untouched, so `12345678901234567890` and `1.0` arrive as they were published.
 *
 * It is put together from the stored parts at every attempt, always to the same bytes; nothing parses `data` again.
 */
export function envelope(event: { type: string; timestamp: Date; data: string }): string {
  return `{"type":${JSON.stringify(event.type)},"timestamp":"${event.timestamp.toISOString()}","data":${event.data}}`
}
