/**
 * The check of a callback URL at the time it is saved: its text, then what its name resolves to.
 */
import { Problem } from '@posthorn/contract'
import type { AddressPolicy } from './address-policy.ts'
import type { Resolve } from './address-resolver.ts'
import { type CallbackUrlRefusal, parseCallbackUrl, resolveCallbackHost } from './callback-url.ts'

/** Nobody waits longer than this for a name to resolve, in milliseconds. */
const resolveMsMax = 10_000

/**
 * Gives a callback URL in its normalised form.
 *
 * @param pointer where it stands in the request; `/url` when left out
 * @throws Problem `invalid_url` with the reason
 */
export type UrlCheck = (text: string, pointer?: string) => Promise<string>

export function createUrlCheck(policy: AddressPolicy, resolve: Resolve): UrlCheck {
  return async (text, pointer = '/url') => {
    const url = parseCallbackUrl(text, policy)
    if (!url.ok) throw refused(url, pointer)
    const signal = AbortSignal.timeout(resolveMsMax)
    const host = await resolveCallbackHost(policy, url, { resolve, signal })
    if (!host.ok) throw refused(host, pointer)
    return url.url
  }
}

function refused(refusal: CallbackUrlRefusal, pointer: string): Problem {
  const { detail } = refusal
  return new Problem('invalid_url', detail, { errors: [{ pointer, detail }], cause: refusal })
}
