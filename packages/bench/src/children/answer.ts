/** The other end of `child.ts`: a process that answers calls, one handler each, for as long as its parent lives. */

/** What a process can be asked, by name. */
export type Handlers = Record<string, (...args: never[]) => unknown>

export type Question = { id: number; call: string; args: readonly unknown[] }
export type Answer = { id: number; result?: unknown; error?: string }

/** Answers every question of the parent with what its handler makes of it. A main passes its `process`. */
export function answerCalls(channel: Pick<NodeJS.Process, 'on' | 'once' | 'send' | 'exit'>, handlers: Handlers): void {
  async function answer({ id, call, args }: Question): Promise<Answer> {
    try {
      // The other end is `ask`, whose type has held the arguments to those of the handler.
      return { id, result: await handlers[call]?.(...(args as never[])) }
    } catch (error) {
      return { id, error: error instanceof Error ? String(error.stack) : String(error) }
    }
  }
  channel.on('message', (question: Question) => void answer(question).then((made) => channel.send?.(made)))
  channel.once('disconnect', () => channel.exit())
}
