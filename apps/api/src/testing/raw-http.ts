/** Bytes on a socket, and the bytes that come back until the other side closes. */
import { connect } from 'node:net'

/** Sends `text` as it stands and resolves with everything that was answered. The API closes the connection. */
export function exchange(origin: string, text: string): Promise<string> {
  const { hostname, port } = new URL(origin)
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect(Number(port), hostname)
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.on('error', reject)
  socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
  socket.on('connect', () => socket.write(text, 'latin1'))
  return promise
}

/** The last answer in a text: its status, its headers in lower case and its body. */
export function answerIn(text: string): { status: number; headers: Map<string, string>; body: string } {
  const [head = '', ...rest] = text.slice(text.lastIndexOf('HTTP/1.1 ')).split('\r\n\r\n')
  const [line = '', ...fields] = head.split('\r\n')
  const headers = new Map(
    fields.map((field) => [field.split(':', 1)[0]?.toLowerCase() ?? '', field.replace(/^[^:]*:\s*/, '')]),
  )
  return { status: Number(line.split(' ')[1]), headers, body: rest.join('\r\n\r\n') }
}
