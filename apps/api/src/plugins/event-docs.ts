/**
 * `/event-docs`: the documentation of the event types for those who receive them, made from what is in the database now
 * and from the settings of this process. Public, as documentation is; an operator who does not want that turns it off.
 *
 * Whoever asks for it needs no key, and some files take seconds. So they are made in a thread that steps back behind
 * everything else, once each, and of what was made so much is kept.
 */

import { Problem } from '@posthorn/contract'
import { eventCatalogueStamp, readEventCatalogue } from '@posthorn/engine'
import {
  type Artifact,
  type Branding,
  type ServedSite,
  SiteUnavailable,
  serveSite,
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
/** What is kept of files once made, in bytes. A page is about 30 kB. */
const keptBytesMax = 32 * 1024 * 1024
/** How long somebody waits for a file; it is made to its end, for whoever asks again. */
const fileMsMax = 20_000
const askAgainSeconds = 5
/** How long the files of a catalogue that has changed may still be made for those who wait for them. */
const endMsMax = 30_000
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

type CurrentSite = { file(path: string): Promise<Made | undefined>; end(msMax: number): Promise<void> }

/** Made anew when the catalogue has changed, which is looked for now and then. */
function siteOf(parts: RouteParts, branding: Branding) {
  let site: { stamp: string; value: CurrentSite } | undefined
  let lookedMs = Number.NEGATIVE_INFINITY
  let looking: Promise<CurrentSite> | undefined
  /** The site before, while somebody waits for a file of it. There is never a third. */
  let ending: Promise<void> | undefined

  async function look(): Promise<CurrentSite> {
    const stamp = await eventCatalogueStamp(parts.db)
    if (site === undefined || (site.stamp !== stamp && ending === undefined)) {
      const before = site?.value
      site = { stamp, value: keeping(serveSite(await givenBy(parts, branding))) }
      ending = before?.end(endMsMax).finally(() => {
        ending = undefined
      })
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
      await Promise.all([ending, site?.value.end(0)])
    },
  }
}

async function givenBy(parts: RouteParts, branding: Branding): Promise<Parameters<typeof serveSite>[0]> {
  const catalogue = await readEventCatalogue(parts.db)
  const { publicUrl } = parts.links
  return {
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
  }
}

/** Files are made once and kept; two who ask for the same one wait for the same. */
function keeping(site: ServedSite): CurrentSite {
  const making = new Map<string, Promise<Made | undefined>>()
  // Insertion order is age: the one asked for longest ago comes first.
  const kept = new Map<string, Made>()
  let keptBytes = 0

  async function make(path: string): Promise<Made | undefined> {
    const artifact = await site.file(path)
    if (artifact === undefined) return undefined
    const made = { ...artifact, etag: tagOfBytes(artifact.body) }
    kept.set(path, made)
    keptBytes += made.body.length
    for (const [oldest, { body }] of kept) {
      if (keptBytes <= keptBytesMax) break
      kept.delete(oldest)
      keptBytes -= body.length
    }
    return made
  }

  return {
    async file(path) {
      const known = kept.get(path)
      if (known !== undefined) {
        kept.delete(path)
        kept.set(path, known)
        return known
      }
      const made = making.get(path) ?? make(path).finally(() => making.delete(path))
      making.set(path, made)
      return soonEnough(made)
    },
    end: (msMax) => site.end(msMax),
  }
}

/** @throws Problem `overloaded`, when it cannot be had or would take too long */
async function soonEnough<T>(made: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const watch = setTimeout(() => late.reject(new SiteUnavailable('It takes longer to be made.')), fileMsMax)
  try {
    return await Promise.race([made, late.promise])
  } catch (error) {
    if (!(error instanceof SiteUnavailable)) throw error
    // Nobody may be waiting for it any more when it fails.
    made.catch(() => undefined)
    throw new Problem('overloaded', `This file of the event documentation is not there yet. ${error.message}`, {
      retryAfterSeconds: askAgainSeconds,
    })
  } finally {
    clearTimeout(watch)
  }
}
