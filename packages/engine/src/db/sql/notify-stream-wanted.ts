import { type Runner, run } from './statement.ts'

/** The channel on which it is told that somebody reads a stream. */
export const streamWantedChannel = 'posthorn_stream_wanted'

/** Asks every dispatcher to tell what it records, for a while. */
export async function notifyStreamWanted(runner: Runner): Promise<void> {
  await run(runner, { name: 'notify-stream-wanted', text: `select pg_notify($1, '')`, values: [streamWantedChannel] })
}
