/** A folder or a map of files behind HTTP on loopback, as a static host serves it. */
import type { Artifacts } from '@posthorn/event-docs'
import { type LoopbackServer, serveOnLoopback } from '../loopback.ts'

export type Served = LoopbackServer

export function serveFiles(files: Artifacts): Promise<Served> {
  return serveOnLoopback(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname).slice(1)
    const make = files.get(path === '' ? 'index.html' : path)
    if (make === undefined) return void response.writeHead(404).end()
    const { contentType, body } = await make()
    response.writeHead(200, { 'content-type': contentType }).end(body)
  })
}
