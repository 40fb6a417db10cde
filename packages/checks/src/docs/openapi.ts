/** The OpenAPI document, as the API serves it, as a file. */
import { buildApi } from '@posthorn/api'
import {
  createPublisher,
  createResolver,
  createTransforms,
  type Jobs,
  openDatabase,
  type World,
} from '@posthorn/engine'
import { testSeal } from '@posthorn/engine/testing'

export const openapiPath = 'docs/openapi.json'

/** Nothing listens there: the document is made from schemas, and asks nobody. */
const noDatabase = 'postgres://nobody@127.0.0.1:1/none'

/** Asks the API for its document. Formatted here, and left alone by the formatter. */
export async function openapiText(): Promise<string> {
  await using db = openDatabase({ url: noDatabase, poolSize: 1 })
  const world: World = { now: () => 0, randomBytes: (count) => new Uint8Array(count) }
  const onWork = () => undefined
  const transforms = createTransforms()
  const app = await buildApi({
    db,
    world,
    jobs: neverAsked(),
    seal: testSeal,
    publisher: createPublisher({ db, world, checkSchema: async () => [], createEventTypes: false, onWork }),
    transforms,
    onWork,
    policy: { allowHttp: false, allowed: [] },
    resolve: createResolver({ timeoutMs: 1 }),
    logger: false,
    settings: {},
  })
  try {
    const response = await app.inject({ method: 'GET', url: '/openapi.json' })
    if (response.statusCode !== 200) throw new Error(`GET /openapi.json answered ${response.statusCode}`)
    return `${JSON.stringify(response.json(), null, 2)}\n`
  } finally {
    await app.close()
  }
}

/** A queue can only be opened on a database; here it must not be needed. */
function neverAsked(): Jobs {
  const refuse = () => {
    throw new Error('the document was made with a job')
  }
  // Whatever is asked of it, it refuses, so it need not be a queue.
  return new Proxy({}, { get: refuse }) as Jobs
}
