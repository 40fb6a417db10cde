/**
 * `/event-docs`: the documentation of the event types for those who receive them, made from what is in the database now
 * and from the settings of this process. Public, as documentation is; an operator who does not want that turns it off.
 */

import { Problem } from '@posthorn/contract'
import { eventCatalogueStamp, readEventCatalogue } from '@posthorn/engine'
import {
  type Artifact,
  type Branding,
  createDocumentation,
  openSite,
  type Site,
  sourceFormat,
} from '@posthorn/event-docs'
import type { FastifyInstance } from 'fastify'
import type { RouteParts } from '../parts.ts'
import { eventTypeVersionView, eventTypeView } from '../views/event-type.ts'
import { metaView } from '../views/meta.ts'
import { etags, tagOfBytes } from './etags.ts'

export const eventDocsPath = '/event-docs'

/** How old what is shown may be, in milliseconds: a page has a dozen files, and they are asked for together. */
const freshMs = 2_000
/** Files that are kept once made. A page is about 30 kB. */
const keptMax = 500
const cacheSeconds = 60
const immutableSeconds = 365 * 24 * 3600

type Made = Artifact & { readonly etag: string }

export async function eventDocs(
  app: FastifyInstance,
  { parts, branding }: { parts: RouteParts; branding: Branding },
): Promise<void> {
  const current = siteOf(parts, branding)
  app.addHook('onClose', () => current.end())
  await app.register(etags)

  app.get(eventDocsPath, { schema: { hide: true } }, async (_request, reply) =>
    reply.redirect(`${parts.links.publicUrl}${eventDocsPath}/index.html`, 302),
  )
  app.get(`${eventDocsPath}/*`, { schema: { hide: true } }, async (request, reply) => {
    const { '*': path } = request.params as { '*': string }
    if (path === '') return reply.redirect(`${parts.links.publicUrl}${eventDocsPath}/index.html`, 302)
    const artifact = await (await current.site()).file(path)
    if (artifact === undefined)
      throw new Problem(
        'route_not_found',
        `The event documentation has no page there. It begins at ${eventDocsPath}/index.html.`,
      )
    reply.header('etag', artifact.etag)
    reply.header('access-control-allow-origin', '*')
    reply.header('x-content-type-options', 'nosniff')
    reply.header(
      'cache-control',
      artifact.immutable === true
        ? `public, max-age=${immutableSeconds}, immutable`
        : `public, max-age=${cacheSeconds}`,
    )
    if (artifact.contentType.startsWith('text/html')) reply.header('content-security-policy', policy)
    return reply.type(artifact.contentType).send(artifact.body)
  })
}

/** What a page cannot say of itself in a `meta` element. */
const policy = "frame-ancestors 'self'"

type CurrentSite = AsyncDisposable & { file(path: string): Promise<Made | undefined> }

/** Made anew when the catalogue has changed, which is looked for now and then. */
function siteOf(parts: RouteParts, branding: Branding) {
  let site: { stamp: string; value: CurrentSite } | undefined
  let lookedMs = Number.NEGATIVE_INFINITY
  let looking: Promise<CurrentSite> | undefined

  async function look(): Promise<CurrentSite> {
    const stamp = await eventCatalogueStamp(parts.db)
    if (site?.stamp !== stamp) {
      const before = site?.value
      site = { stamp, value: await readSite(parts, branding) }
      await before?.[Symbol.asyncDispose]()
    }
    lookedMs = parts.world.now()
    return site.value
  }

  return {
    async site(): Promise<CurrentSite> {
      if (site !== undefined && Math.abs(parts.world.now() - lookedMs) < freshMs) return site.value
      // Many ask at once when a page is opened; one of them looks.
      looking ??= look().finally(() => {
        looking = undefined
      })
      return looking
    },
    async end(): Promise<void> {
      await looking?.catch(() => undefined)
      await site?.value[Symbol.asyncDispose]()
    },
  }
}

async function readSite(parts: RouteParts, branding: Branding): Promise<CurrentSite> {
  const catalogue = await readEventCatalogue(parts.db)
  const { publicUrl } = parts.links
  const documentation = createDocumentation({
    source: {
      format: sourceFormat,
      meta: metaView(parts),
      event_types: catalogue.map(({ eventType, versions }) => ({
        event_type: eventTypeView(eventType),
        versions: versions.map(eventTypeVersionView),
      })),
    },
    branding,
    baseUrl: `${publicUrl}${eventDocsPath}`,
    ...(publicUrl === '' ? {} : { apiUrl: publicUrl }),
  })
  return keeping(openSite(documentation))
}

/** Files are made once and kept; two who ask for the same one wait for the same. */
function keeping(site: Site): CurrentSite {
  const kept = new Map<string, Promise<Made>>()
  return {
    async file(path) {
      const make = site.files.get(path)
      if (make === undefined) return undefined
      const known = kept.get(path)
      if (known !== undefined) return known
      const made = Promise.resolve(make()).then((artifact) => ({ ...artifact, etag: tagOfBytes(artifact.body) }))
      kept.set(path, made)
      made.catch(() => kept.delete(path))
      const [oldest] = kept.keys()
      if (kept.size > keptMax && oldest !== undefined) kept.delete(oldest)
      return made
    },
    // What somebody waits for is made to its end: without its threads a site has less in its files than it should.
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(kept.values())
      await site[Symbol.asyncDispose]()
    },
  }
}
