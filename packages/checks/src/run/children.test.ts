import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { createChildren, environmentOf } from './children.ts'

test('the exit code of a child is told, also when a signal ended it', async () => {
  const children = startable()
  await expect(children.run(['sh', '-c', 'exit 3'])).resolves.toBe(3)
  await expect(children.run(['sh', '-c', 'kill -TERM $$'])).resolves.toBe(128 + 15)
})

test('a program that is not there is an error', async () => {
  await expect(startable().run(['posthorn-has-no-such-program'])).rejects.toMatchObject({ code: 'ENOENT' })
})

test('to end is to end the child, its children and whatever would come next', async () => {
  await using family = await listenToFamily()
  const children = startable()
  const running = children.run([process.execPath, '--eval', family.parent])
  await family.complete
  children.end('SIGINT')
  await expect(running).resolves.toBe(128 + 2)
  await family.gone
  expect(children.ended).toBe('SIGINT')
  await expect(children.run(['sh', '-c', 'exit 0'])).resolves.toBe(128 + 2)
})

test('who does not end at the first signal is killed by the second', async () => {
  await using family = await listenToFamily("for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => 0);")
  const children = startable()
  const running = children.run([process.execPath, '--eval', family.parent])
  await family.complete
  children.end('SIGINT')
  children.end('SIGTERM')
  await expect(running).resolves.toBe(128 + 9)
  await family.gone
})

test('children find the tools of the checkout first, and send nothing to their makers', () => {
  const environment = environmentOf({ PATH: '/usr/bin', HOME: '/root' }, { root: '/house', hasTerminal: true })
  expect(environment).toMatchObject({
    PATH: '/house/node_modules/.bin:/house/packages/checks/node_modules/.bin:/usr/bin',
    HOME: '/root',
    DO_NOT_TRACK: '1',
    TURBO_TELEMETRY_DISABLED: '1',
  })
})

test('colours are for terminals', () => {
  const ours = { FORCE_COLOR: '1', CI: 'true' }
  expect(environmentOf(ours, { root: '/house', hasTerminal: true })).toMatchObject(ours)
  const environment = environmentOf(ours, { root: '/house', hasTerminal: false })
  expect(environment).toMatchObject({ NO_COLOR: '1', CI: 'true' })
  expect(environment['FORCE_COLOR']).toBeUndefined()
})

function startable() {
  return createChildren({
    folder: tmpdir(),
    environment: process.env,
    kill: (id, signal) => process.kill(id, signal),
  })
}

/** The program of a parent that starts a child; each holds a connection to us for as long as it lives. */
async function listenToFamily(first = '') {
  const sockets: Socket[] = []
  const server = createServer()
  const complete = new Promise<void>((resolve) => {
    server.on('connection', (socket) => {
      sockets.push(socket.on('error', () => undefined).resume()) // a killed process may reset it; 'close' follows
      if (sockets.length === 2) resolve()
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  // A server that listens on a port has such an address.
  const { port } = server.address() as AddressInfo
  const connect = `${first} require('node:net').connect(${port}, '127.0.0.1').on('error', () => 0);`
  return {
    parent: `${connect} require('node:child_process').spawn(process.execPath, ['--eval', ${JSON.stringify(connect)}])`,
    complete,
    gone: complete.then(() => Promise.all(sockets.map(closed))),
    async [Symbol.asyncDispose]() {
      server.close()
    },
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })
}
