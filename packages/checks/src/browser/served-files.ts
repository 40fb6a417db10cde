/** A folder or a map of files behind HTTP on loopback, as a static host serves it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Artifacts } from '@posthorn/event-docs'

export type Served = AsyncDisposable & { readonly origin: string }

export async function serveFiles(files: Artifacts): Promise<Served> {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname).slice(1)
    const make = files.get(path === '' ? 'index.html' : path)
    if (make === undefined) return void response.writeHead(404).end()
    const { contentType, body } = await make()
    response.writeHead(200, { 'content-type': contentType }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
