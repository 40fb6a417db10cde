/**
 * A name server that says what a test wants said: over UDP and TCP on a real socket, with every answer that a hostile or
 * a broken one may give. What it knows may be changed at any time; nothing has a lifetime, so a name can be bound anew
 * between two questions.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import ipaddr from 'ipaddr.js'

/** What is said about one type of record of a name. */
export type Reply =
  /** Addresses; none means that the name has no record of this type. */
  | readonly string[]
  /** An error (RFC 1035 §4.1.1), nothing at all, or bytes that are no answer. */
  | 'NXDOMAIN'
  | 'SERVFAIL'
  | 'silence'
  | 'garbage'
  /** The name is another name for the first of `aliases`, that one for the next, and the last one has the addresses. */
  | { readonly aliases: readonly string[]; readonly addresses: readonly string[] }

/** A type that is left out has no record. */
export type Name = { readonly A?: Reply; readonly AAAA?: Reply }

export type NameServer = AsyncDisposable & {
  /** `address:port`, as a resolver takes it. */
  readonly server: string
  /** Every question so far, such as `A hooks.example.com`; over TCP with `TCP` in front. */
  readonly asked: readonly string[]
  /** Resolves with the first question. */
  readonly firstQuestion: Promise<void>
  /** What is said of a name from now on: of several, one after the other, and the last one for ever. */
  say(hostname: string, ...names: readonly Name[]): void
}

const types = { A: 1, CNAME: 5, AAAA: 28 } as const
const codes = { NXDOMAIN: 3, SERVFAIL: 2 } as const
const truncatedFlag = 0x0200
/** The largest answer over UDP to a question that says nothing of its size (RFC 1035 §4.2.1). */
const udpBytesMax = 512

/**
 * @param options.port 0 for any free one
 * @param options.overTcp whether what does not fit into a datagram can be had over TCP
 */
export async function startNameServer(options: { port?: number; overTcp?: boolean } = {}): Promise<NameServer> {
  const known = new Map<string, Name[]>()
  const asked: string[] = []
  const first = Promise.withResolvers<void>()
  const connections = new Set<Socket>()
  const { udp, tcp, port } = await listen(options.port ?? 0)
  udp.on('message', (query, asker) => answerDatagram(udp, asker, query))
  tcp.on('connection', (socket) => {
    connections.add(socket.on('error', () => undefined).on('close', () => connections.delete(socket)))
    if (options.overTcp === false) {
      socket.destroy()
      return
    }
    socket.once('data', (query) => {
      const reply = hear(query.subarray(2), 'TCP ')
      if (reply === undefined) return
      const length = Buffer.alloc(2)
      length.writeUInt16BE(reply.length)
      socket.end(Buffer.concat([length, reply]))
    })
  })

  function answerDatagram(socket: UdpSocket, asker: RemoteInfo, query: Buffer): void {
    const reply = hear(query, '')
    if (reply === undefined) return
    socket.send(reply.length > udpBytesMax ? truncated(query) : reply, asker.port, asker.address)
  }

  /** Answers a question with bytes, or not at all. */
  function hear(query: Buffer, over: string): Buffer | undefined {
    const { hostname, type } = questionOf(query)
    asked.push(`${over}${type} ${hostname}`)
    first.resolve()
    const names = known.get(hostname) ?? []
    // A and AAAA are asked side by side, so a name moves on when the second of them was heard.
    const [name] = type === 'AAAA' && names.length > 1 ? names.splice(0, 1) : names
    const reply = name === undefined ? 'NXDOMAIN' : (name[type] ?? [])
    return reply === 'silence' ? undefined : answer(query, type, reply)
  }

  return {
    server: `127.0.0.1:${port}`,
    asked,
    firstQuestion: first.promise,
    say(hostname, ...names) {
      known.set(hostname, [...names])
    },
    async [Symbol.asyncDispose]() {
      udp.close()
      for (const socket of connections) socket.destroy()
      tcp.close()
      await once(tcp, 'close')
    },
  }
}

/** One port for both. A free one for TCP may be taken for UDP; then another one is tried. */
async function listen(wanted: number): Promise<{ udp: UdpSocket; tcp: Server; port: number }> {
  for (;;) {
    const tcp = createServer()
    const udp = createSocket('udp4')
    await once(tcp.listen(wanted, '127.0.0.1'), 'listening')
    const port = portOf(tcp)
    try {
      await once(udp.bind(port, '127.0.0.1'), 'listening')
      return { udp, tcp, port }
    } catch (error) {
      tcp.close()
      udp.close()
      if (wanted !== 0) throw error
    }
  }
}

/** The question (RFC 1035 §4.1.2) as it stands in a query behind its head of 12 bytes. */
function questionBytes(query: Buffer): Buffer {
  return query.subarray(12, query.indexOf(0, 12) + 5)
}

function questionOf(query: Buffer): { hostname: string; type: 'A' | 'AAAA' } {
  const question = questionBytes(query)
  const labels: string[] = []
  for (let at = 0; question[at] !== 0; at += (question[at] ?? 0) + 1)
    labels.push(question.toString('latin1', at + 1, at + 1 + (question[at] ?? 0)))
  const type = question.readUInt16BE(question.length - 4) === types.AAAA ? 'AAAA' : 'A'
  return { hostname: labels.join('.').toLowerCase(), type }
}

function answer(query: Buffer, type: 'A' | 'AAAA', reply: Exclude<Reply, 'silence'>): Buffer {
  if (reply === 'garbage') return Buffer.concat([query.subarray(0, 2), Buffer.alloc(40, 0xff)])
  if (typeof reply === 'string') return Buffer.concat([head(query, codes[reply], 0), questionBytes(query)])
  const { aliases, addresses } = 'aliases' in reply ? reply : { aliases: [], addresses: reply }
  const owners = [asAsked, ...aliases.map(nameBytes)]
  const records = [
    ...aliases.map((alias, index) => record(owners[index] ?? asAsked, types.CNAME, nameBytes(alias))),
    ...addresses.map((address) =>
      record(owners.at(-1) ?? asAsked, types[type], Buffer.from(ipaddr.parse(address).toByteArray())),
    ),
  ]
  return Buffer.concat([head(query, 0, records.length), questionBytes(query), ...records])
}

/** The answer that there is more than fits. */
function truncated(query: Buffer): Buffer {
  return Buffer.concat([head(query, truncatedFlag, 0), questionBytes(query)])
}

function head(query: Buffer, flags: number, records: number): Buffer {
  const bytes = Buffer.alloc(12)
  query.copy(bytes, 0, 0, 2)
  bytes.writeUInt16BE(0x8180 | flags, 2)
  bytes.writeUInt16BE(1, 4)
  bytes.writeUInt16BE(records, 6)
  return bytes
}

/** In place of a name: the one in the question (RFC 1035 §4.1.4). */
const asAsked = Buffer.from([0xc0, 0x0c])

/** A record with a lifetime of zero. */
function record(owner: Buffer, type: number, data: Buffer): Buffer {
  const bytes = Buffer.alloc(10)
  bytes.writeUInt16BE(type, 0)
  bytes.writeUInt16BE(1, 2)
  bytes.writeUInt16BE(data.length, 8)
  return Buffer.concat([owner, bytes, data])
}

function nameBytes(hostname: string): Buffer {
  const labels = hostname.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
  return Buffer.concat([...labels, Buffer.from([0])])
}

function portOf(server: Server): number {
  const address = server.address()
  // A server that listens on a port has such an address.
  return typeof address === 'object' && address !== null ? address.port : 0
}
