import type { buildApi } from '@posthorn/api'

/** Ports tried behind a taken one. */
const portsTriedMax = 20

/**
 * Opens the API to the network, on the port or, where it may move, on the next free one.
 *
 * @returns where it listens: `http://127.0.0.1:4400`
 * @throws the system's error, `EADDRINUSE` when the port is taken and may not move
 */
export async function listen(
  app: Awaited<ReturnType<typeof buildApi>>,
  { host, port, moves }: { host: string; port: number; moves: boolean },
): Promise<string> {
  for (let tried = port; ; tried += 1) {
    try {
      return await app.listen({ host, port: tried })
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      if (!isTaken || !moves || tried === port + portsTriedMax) throw error
    }
  }
}
