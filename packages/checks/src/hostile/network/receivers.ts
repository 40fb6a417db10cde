/**
 * Receivers on every address of a network, on the ports that callback URLs may have. They note every connection, and
 * answer: a redirect to the metadata service where the path is its status, else 200. Each answer ends its connection, so
 * that the next request resolves its host anew.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import { type Authority, issueCertificate } from '@posthorn/engine/testing'
import type { Reached } from './calls.ts'

const plainPorts = [80, 8080]
const securePorts = [443, 8443]
/** Addresses that have a certificate of their own; names get one when they are asked for. */
const certifiedAddresses = ['172.32.0.1', '100.128.0.1', '100.63.255.254', '169.254.169.254', '10.0.0.1', '127.0.0.1']
const redirectTarget = 'http://169.254.169.254/latest/meta-data/'

/** @returns every connection so far; more are added as they come */
export async function startReceivers(authority: Authority): Promise<Reached[]> {
  const reached: Reached[] = []
  const bySocket = new WeakMap<Socket, Reached>()

  function note(socket: Socket): void {
    const at = `${plainAddress(socket.localAddress)}:${socket.localPort}`
    const one: Reached = { at, request: null, host: null, body: '' }
    bySocket.set(socket, one)
    reached.push(one)
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const one = bySocket.get(request.socket)
    const status = Number(/^\/(30\d)$/.exec(request.url ?? '')?.[1] ?? 200)
    if (one !== undefined) {
      one.request = `${request.method} ${request.url}`
      one.host = request.headers.host ?? null
    }
    request.on('data', (chunk: Buffer) => {
      if (one !== undefined) one.body += chunk.toString()
    })
    request.on('end', () => {
      response.writeHead(status, { connection: 'close', ...(status === 200 ? {} : { location: redirectTarget }) }).end()
    })
  }

  const fallback = issueCertificate(authority, { host: certifiedAddresses })
  const contexts = new Map<string, ReturnType<typeof contextFor>>()
  function contextFor(host: string) {
    const { certificate, key } = issueCertificate(authority, { host })
    return createSecureContext({ cert: certificate, key })
  }
  const tls = {
    cert: fallback.certificate,
    key: fallback.key,
    SNICallback: (host: string, callback: (error: null, context: ReturnType<typeof contextFor>) => void) => {
      const context = contexts.get(host) ?? contextFor(host)
      contexts.set(host, context)
      callback(null, context)
    },
  }

  for (const port of plainPorts) await listen(createServer(answer).on('connection', note), port)
  for (const port of securePorts)
    await listen(createSecureServer(tls, answer).on('secureConnection', note).on('tlsClientError', noteFailed), port)

  /** A handshake that fails has reached us as well. */
  function noteFailed(_error: Error, socket: Socket): void {
    note(socket)
  }

  return reached
}

async function listen(server: Server, port: number): Promise<void> {
  // Both families: IPv4 arrives as IPv4-mapped.
  await once(server.listen(port, '::'), 'listening')
}

function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '')
}
