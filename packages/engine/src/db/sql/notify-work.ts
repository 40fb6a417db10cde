import { type Runner, run } from './statement.ts'

/** The channel on which publishers tell dispatchers which shards have work. */
export const workChannel = 'posthorn_work'

/**
 * Tells every dispatcher that these shards have work. A hint: it may be lost, and costs 250 ms then. Never part of a
 * publishing transaction, because a commit with NOTIFY takes a lock of the whole database.
 */
export async function notifyWork(runner: Runner, shards: Iterable<number>): Promise<void> {
  await run(runner, {
    name: 'notify-work',
    text: 'select pg_notify($1, $2)',
    values: [workChannel, [...shards].join(',')],
  })
}
