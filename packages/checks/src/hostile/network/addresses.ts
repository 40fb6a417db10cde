/**
 * Makes every address there is an address of this machine, in a network namespace that has just been made.
 *
 * `ip` does it, or Perl, which speaks the kernel's own protocol (rtnetlink) where iproute2 is not installed: it is on
 * every Debian. The requests are those of linux/rtnetlink.h, each acknowledged.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** `lo` is the first interface of a namespace, and the only one. */
const loopback = 1
const families = { IPv4: 2, IPv6: 10 } as const

/** @throws with the words of the program when the kernel refuses */
export async function takeEveryAddress(): Promise<void> {
  try {
    await execute('ip', ['link', 'set', 'lo', 'up'])
    await execute('ip', ['route', 'add', 'local', '0.0.0.0/0', 'dev', 'lo'])
    await execute('ip', ['-6', 'route', 'add', 'local', '::/0', 'dev', 'lo'])
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    await execute('perl', ['-e', sendEach, ...[linkUp(), localRoute('IPv4'), localRoute('IPv6')]])
  }
}

const sendEach = `
  socket(my $kernel, 16, 3, 0) or die $!;
  for (@ARGV) {
    send($kernel, pack("H*", $_), 0, pack("SSLL", 16, 0, 0, 0)) or die $!;
    recv($kernel, my $answer, 4096, 0);
    if (my $error = unpack("x16 l", $answer)) { $! = -$error; die $! }
  }`

/** RTM_NEWLINK with a struct ifinfomsg: IFF_UP set, and nothing else changed. */
function linkUp(): string {
  const body = Buffer.alloc(16)
  body.writeInt32LE(loopback, 4)
  body.writeUInt32LE(1, 8)
  body.writeUInt32LE(1, 12)
  return request(16, 0, body)
}

/** RTM_NEWROUTE with a struct rtmsg: everything (a prefix of no bits) is local, by `lo` (RTA_OIF). */
function localRoute(family: keyof typeof families): string {
  const [tableLocal, protocolBoot, scopeHost, typeLocal] = [255, 3, 254, 2]
  const body = Buffer.alloc(20)
  body.set([families[family], 0, 0, 0, tableLocal, protocolBoot, scopeHost, typeLocal])
  body.writeUInt16LE(8, 12)
  body.writeUInt16LE(4, 14)
  body.writeUInt32LE(loopback, 16)
  const create = 0x400
  return request(24, create, body)
}

/** A struct nlmsghdr, which asks for an acknowledgement, and what follows it. */
function request(type: number, flags: number, body: Buffer): string {
  const head = Buffer.alloc(16)
  head.writeUInt32LE(head.length + body.length, 0)
  head.writeUInt16LE(type, 4)
  head.writeUInt16LE(flags | 0x1 | 0x4, 6)
  return Buffer.concat([head, body]).toString('hex')
}
