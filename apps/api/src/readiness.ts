import type { Readiness } from '@posthorn/contract'
import type { CheckOutcome, ReadinessCheck } from '@posthorn/engine'

/** A check that takes longer has failed, in milliseconds. Load balancers ask every few seconds. */
const checkMsMax = 2_000

/** Runs all checks side by side. What went wrong inside one is not told to the world. */
export async function readinessOf(checks: readonly ReadinessCheck[]): Promise<Readiness> {
  const outcomes = await Promise.all(
    checks.map(async ({ name, required, look }) => ({ name, required, ...(await outcomeOf(look)) })),
  )
  return { ready: outcomes.every((outcome) => outcome.ok || !outcome.required), checks: outcomes }
}

async function outcomeOf(look: () => Promise<CheckOutcome>): Promise<CheckOutcome> {
  const late = Promise.withResolvers<CheckOutcome>()
  const timer = setTimeout(() => late.resolve({ ok: false, detail: 'does not answer in time' }), checkMsMax)
  try {
    return await Promise.race([look(), late.promise])
  } catch {
    return { ok: false, detail: 'does not answer' }
  } finally {
    clearTimeout(timer)
  }
}
