import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/** Writes down what a new replay promises, within the transaction that made it. Locks its row, which nobody else sees yet. */
export async function setReplayPreview(
  runner: Runner,
  replayId: Uuid,
  preview: { itemCount: number; json: string },
): Promise<void> {
  await run(runner, {
    name: 'set-replay-preview',
    text: 'update replay set item_count = $2, preview = $3::jsonb where id = $1',
    values: [replayId, preview.itemCount, preview.json],
  })
}
