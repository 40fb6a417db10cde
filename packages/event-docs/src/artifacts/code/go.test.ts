import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { documentedEvent } from '../../signed-delivery.ts'
import { documentationOf } from '../../testing/documentation.ts'
import { sampleEventTypes } from '../../testing/sample-event-types.ts'
import { addresses } from '../addresses.ts'
import { exampleFiles } from '../example-files.ts'
import { createCodeMaker } from './code-maker.ts'
import { goArtifacts } from './go.ts'

const documentation = documentationOf(sampleEventTypes)
const maker = createCodeMaker()
const folder = mkdtempSync(join(tmpdir(), 'posthorn-go-'))
const version = versionOf('go', ['version'])

afterAll(async () => {
  await maker.end()
  rmSync(folder, { recursive: true })
})

/** Undefined where the program is not installed. */
function versionOf(program: string, arguments_: string[]): string | undefined {
  try {
    return execFileSync(program, arguments_, { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}

async function written(): Promise<string[]> {
  const files: string[] = []
  for (const [path, make] of goArtifacts(documentation, maker).artifacts) {
    const file = path.slice(addresses.go.length)
    writeFileSync(join(folder, file), String((await make()).body))
    files.push(file)
  }
  return files
}

test('each event type has a file of its own, whatever it is called', async () => {
  const files = await written()
  expect(files).toEqual(
    expect.arrayContaining(['go.mod', 'events.go', 'event_invoice_paid_data.go', 'event_server_linux_data.go']),
  )
  expect(files.filter((file) => file.startsWith('event_'))).toHaveLength(Object.keys(sampleEventTypes).length)
  expect(await goArtifacts(documentation, maker).warnings()).toEqual([])
})

test.skipIf(version === undefined)(
  `the compiler finds no fault in it, and it reads every example (${version ?? 'skipped: go is not installed'})`,
  { timeout: 240_000 },
  async () => {
    await written()
    const bodies = documentation.source.event_types.flatMap((eventType) =>
      exampleFiles(documentation, eventType).map(({ example }) =>
        JSON.stringify(documentedEvent(eventType.event_type.name, example)),
      ),
    )
    writeFileSync(join(folder, 'bodies.json'), JSON.stringify(bodies))
    writeFileSync(join(folder, 'events_test.go'), readsExamples)
    const env = { ...process.env, GOFLAGS: '-mod=mod', GOPROXY: 'off', GOTOOLCHAIN: 'local' }
    // `go test` vets the package too; `vet` names what that leaves out.
    await promisify(execFile)('go', ['vet', './...'], { cwd: folder, env })
    const { stdout } = await promisify(execFile)('go', ['test', '-v', './...'], { cwd: folder, env })
    expect(stdout).toContain(`read ${bodies.length} events`)
  },
)

const readsExamples = `package webhookevents

import (
	"encoding/json"
	"os"
	"testing"
)

func TestExamples(t *testing.T) {
	text, err := os.ReadFile("bodies.json")
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	if err := json.Unmarshal(text, &bodies); err != nil {
		t.Fatal(err)
	}
	for _, body := range bodies {
		event, err := ParseEvent([]byte(body))
		if err != nil {
			t.Error(err, body)
		}
		if paid, ok := event.Data.(*InvoicePaidData); ok && paid.Status != InvoicePaidData_Paid && paid.Status != InvoicePaidData_Open {
			t.Error(paid.Status)
		}
		if _, err := json.Marshal(event.Data); err != nil {
			t.Error(err, body)
		}
	}
	unknown, err := ParseEvent([]byte(\`{"type":"added.later","timestamp":"2026-01-01T12:00:00Z","data":[1]}\`))
	if raw, ok := unknown.Data.(json.RawMessage); err != nil || !ok || string(raw) != "[1]" {
		t.Error(unknown, err)
	}
	if _, err := ParseEvent([]byte(\`{"type":"list.sent","data":{"no":"list"}}\`)); err == nil {
		t.Error("data of another form was read")
	}
	t.Logf("read %d events", len(bodies))
}
`
