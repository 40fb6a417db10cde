import type { FastifyInstance } from 'fastify'

/** Ports tried where one may move on from a taken one. */
const portsTriedMax = 20

export type ListenOptions = {
  host: string
  port: number
  /** A taken port moves on to the next free one instead of being an error. */
  moves: boolean
}

/**
 * Opens the API to the network.
 *
 * @returns where it listens: `http://127.0.0.1:4400`
 * @throws the system's error, `EADDRINUSE` when the port is taken and may not move
 */
export async function listenApi(app: FastifyInstance, { host, port, moves }: ListenOptions): Promise<string> {
  const last = moves ? port + portsTriedMax - 1 : port
  for (let tried = port; ; tried += 1) {
    try {
      return await app.listen({ host, port: tried })
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      if (!isTaken || tried >= last) throw error
    }
  }
}
