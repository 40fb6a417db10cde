/** `/metrics` of a process without the API: a dispatcher on its own has no other door, and this one opens to nothing else. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isDatabaseUnavailable, type Metrics } from '@posthorn/engine'

export type MetricsListener = AsyncDisposable & {
  /** `http://127.0.0.1:9464` */
  origin: string
}

/** @throws the system's error, `EADDRINUSE` when the port is taken */
export async function listenMetrics(
  metrics: Pick<Metrics, 'contentType' | 'text'>,
  { host, port }: { host: string; port: number },
): Promise<MetricsListener> {
  const server = createServer(async (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return void response.writeHead(404).end()
    try {
      const text = await metrics.text()
      response.writeHead(200, { 'content-type': metrics.contentType }).end(text)
    } catch (error) {
      response.writeHead(isDatabaseUnavailable(error) ? 503 : 500).end()
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  // Listening on a host and a port, so the address is an object.
  const address = server.address() as AddressInfo
  return {
    origin: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
