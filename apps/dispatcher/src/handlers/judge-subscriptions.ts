import { type FailingParts, judgeSubscriptions, type Telemetry } from '@posthorn/engine'

/** Disables subscriptions that have failed for too long, and tells of those that come near it. */
export async function judgeHealth(parts: FailingParts & { telemetry: Telemetry }): Promise<void> {
  const { told, disabled } = await judgeSubscriptions(parts)
  if (told + disabled > 0) parts.telemetry({ what: 'subscriptions_judged', told, disabled })
}
