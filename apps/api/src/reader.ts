/** What of an object its reader may see. Everything that shows payloads, headers or credentials asks for it. */
import type { Credential } from '@posthorn/engine'
import { may } from './permissions.ts'

export type Reader = {
  /** What events hold, and what receivers answered: either may be about people. */
  payloads: boolean
  /** Credentials that stand in headers, and signatures. */
  secrets: boolean
  /** The only tenant that it may see; undefined for all. */
  tenantId: string | undefined
}

export function readerOf(credential: Credential): Reader {
  return {
    payloads: may(credential, 'payloads:read'),
    secrets: may(credential, 'secrets:reveal'),
    tenantId: credential.tenantId,
  }
}
