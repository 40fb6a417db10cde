import { randomBytes } from 'node:crypto'
import { createSeal, parseMasterKeys } from '@posthorn/engine'

/** The master key of every benchmark: one process fills the database, another opens what is in it. */
export const benchMasterKey = Buffer.alloc(32, 'benchmark').toString('base64')

export const benchSeal = createSeal(parseMasterKeys(benchMasterKey), { randomBytes })
