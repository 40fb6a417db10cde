/** A master key for tests. It is public: never use it. */
import { randomBytes } from 'node:crypto'
import { createSeal, parseMasterKeys } from '../sealing.ts'

/** As it would be written in `POSTHORN_MASTER_KEY`. */
export const testMasterKeyText = Buffer.alloc(32, 'test master key').toString('base64')
export const testSeal = createSeal(parseMasterKeys(testMasterKeyText), { randomBytes: (count) => randomBytes(count) })
