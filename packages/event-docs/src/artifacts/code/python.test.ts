import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { documentedEvent } from '../../signed-delivery.ts'
import { documentationOf } from '../../testing/documentation.ts'
import { sampleEventTypes } from '../../testing/sample-event-types.ts'
import { addresses } from '../addresses.ts'
import { exampleFiles } from '../example-files.ts'
import { createCodeMaker } from './code-maker.ts'
import { pythonArtifacts } from './python.ts'

const documentation = documentationOf(sampleEventTypes)
const maker = createCodeMaker()
const folder = mkdtempSync(join(tmpdir(), 'posthorn-python-'))
const version = versionOf()

afterAll(async () => {
  await maker.end()
  rmSync(folder, { recursive: true })
})

/** Undefined where it is not installed. */
function versionOf(): string | undefined {
  try {
    return execFileSync('python3', ['--version'], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}

async function written(): Promise<string[]> {
  const files: string[] = []
  for (const [path, make] of pythonArtifacts(documentation, maker).artifacts) {
    const file = path.slice(addresses.python.length)
    mkdirSync(join(folder, dirname(file)), { recursive: true })
    writeFileSync(join(folder, file), String((await make()).body))
    files.push(file)
  }
  return files
}

test('each event type is a module, whatever it is called', async () => {
  const files = await written()
  expect(files).toHaveLength(Object.keys(sampleEventTypes).length + 1)
  expect(files).toEqual(expect.arrayContaining(['webhook_events/__init__.py', 'webhook_events/class_event.py']))
  expect(await pythonArtifacts(documentation, maker).warnings()).toEqual([])
})

test.skipIf(version === undefined)(
  `it compiles, and reads every example (${version ?? 'skipped: python3 is not installed'})`,
  { timeout: 60_000 },
  async () => {
    const files = await written()
    await promisify(execFile)('python3', ['-W', 'error', '-m', 'py_compile', ...files], { cwd: folder })
    const bodies = documentation.source.event_types.flatMap((eventType) =>
      exampleFiles(documentation, eventType).map(({ example }) =>
        JSON.stringify(documentedEvent(eventType.event_type.name, example)),
      ),
    )
    writeFileSync(join(folder, 'bodies.json'), JSON.stringify(bodies))
    writeFileSync(join(folder, 'read.py'), readsExamples)
    const { stdout } = await promisify(execFile)('python3', ['read.py'], { cwd: folder })
    expect(stdout.trim()).toBe(`read ${bodies.length} events`)
  },
)

const readsExamples = `import json

from webhook_events import Event, UnexpectedData, parse_event
from webhook_events.invoice_paid_event import Data, Status

with open("bodies.json", encoding="utf-8") as file:
    bodies = json.load(file)
for body in bodies:
    event = parse_event(body)
    if event.type == "invoice.paid":
        assert isinstance(event.data, Data) and event.data.status in (Status.OPEN, Status.PAID)
assert parse_event(b'{"type":"added.later","timestamp":"2026-01-01T12:00:00Z","data":[1]}') == Event(
    "added.later", "2026-01-01T12:00:00Z", [1]
)
try:
    parse_event('{"type":"list.sent","timestamp":"2026-01-01T12:00:00Z","data":{"no":"list"}}')
    raise SystemExit("data of another form was read")
except UnexpectedData:
    pass
print(f"read {len(bodies)} events")
`
