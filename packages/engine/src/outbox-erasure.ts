/**
 * What an erasure takes out of the outbox: events that are not published yet, or never can be.
 *
 * It happens with the call itself, while nobody publishes what is there. So whatever was in the outbox when the call was
 * answered is either gone or was published before, and then it is among the events that the erasure goes through.
 */
import { Problem, type Uuid } from '@posthorn/contract'
import { deleteOutboxWithKey } from './db/sql/delete-outbox-with-key.ts'
import { selectOutboxData } from './db/sql/select-outbox-data.ts'
import { selectOutboxPointed } from './db/sql/select-outbox-pointed.ts'
import { waitForOutbox } from './db/sql/wait-for-outbox.ts'
import type { Tx } from './db/transaction.ts'
import { isLockTimeout } from './db/unavailable.ts'
import { keysOfEvent } from './key-pointers.ts'

/** A portion of the outbox is published in less; one whose publisher has fallen silent is given up after ten seconds. */
const waitMsDefault = 12_000
/** Events read at once: each may hold 256 KiB. */
const rowsPerPage = 50

/**
 * Keeps everybody from publishing out of the outbox until the transaction ends.
 *
 * @throws Problem `overloaded` when it is being published for longer than this can wait
 */
export async function holdOutbox(tx: Tx, waitMs = waitMsDefault): Promise<void> {
  try {
    await waitForOutbox(tx, waitMs)
  } catch (error) {
    if (!isLockTimeout(error)) throw error
    throw new Problem(
      'overloaded',
      'What is in the outbox is being published, and it takes long. Nothing was erased and no erasure was asked for; ask again in a moment.',
      { retryAfterSeconds: 5, cause: error },
    )
  }
}

/**
 * Takes the events of a tenant out of the outbox, or those with a business key: given by their writer, or read out of the
 * data as publishing would. Under `holdOutbox`.
 */
export async function eraseOutbox(
  tx: Tx,
  { tenantId, key }: { tenantId: string; key: { name: string; value: string } | undefined },
): Promise<void> {
  await deleteOutboxWithKey(tx, { tenantId, key })
  if (key === undefined) return
  const ids = await selectOutboxPointed(tx, { tenantId, keyName: key.name })
  for (let first = 0; first < ids.length; first += rowsPerPage) {
    const found = await withKey(tx, ids.slice(first, first + rowsPerPage), key)
    await tx.outboxEvent.deleteMany({ where: { id: { in: found } } })
  }
}

async function withKey(tx: Tx, ids: Uuid[], { name, value }: { name: string; value: string }): Promise<Uuid[]> {
  const rows = await selectOutboxData(tx, ids)
  return rows.flatMap(({ id, keys, pointers, data }) => {
    return keysOfEvent(textsOf(keys), pointers, data)[name] === value ? [id] : []
  })
}

/** As the writer gave them. What is no text is refused by publishing, and takes its place among the keys all the same. */
function textsOf(keys: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(Object(keys)).map(([name, value]) => [name, String(value)]))
}
