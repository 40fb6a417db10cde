import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  type AuditAction,
  CreatedReplay,
  CreateReplay,
  limits,
  PatchReplay,
  PathId,
  Problem,
  Replay,
  ReplayItemPage,
  ReplayItemQuery,
  ReplayPage,
  ReplayQuery,
  reference,
} from '@posthorn/contract'
import {
  type Credential,
  draftReplay,
  getReplay,
  listReplayItems,
  listReplays,
  moveReplay,
  patchReplay,
  type ReplayMove,
} from '@posthorn/engine'
import { Type } from 'typebox'
import { wirePage } from '../pages.ts'
import type { RouteParts } from '../parts.ts'
import { pathId } from '../path-id.ts'
import { may, nameOf } from '../permissions.ts'
import { audited } from '../plugins/audit.ts'
import { refusals } from '../refusals.ts'
import { replayItemView, replayView } from '../views/replay.ts'

const tags = ['Replays']
const params = Type.Object({ id: PathId('replay') })
const noBody = Type.Object({}, { additionalProperties: false })

const moves: Readonly<Record<ReplayMove, { audit: AuditAction; summary: string; description: string }>> = {
  run: {
    audit: 'replay_started',
    summary: 'Run a draft',
    description:
      'Its deliveries are sent in small portions, behind what is published meanwhile. Each is judged once more when its turn comes: one that was delivered, or is on its way again, is skipped, with the reason. A draft whose time is over is refused with `replay_expired`.',
  },
  pause: {
    audit: 'replay_paused',
    summary: 'Pause a replay',
    description: 'Nothing more becomes due; the few deliveries that are due or in flight end.',
  },
  resume: {
    audit: 'replay_resumed',
    summary: 'Go on with a paused replay',
    description: 'It goes on where it was.',
  },
  cancel: {
    audit: 'replay_canceled',
    summary: 'Call a replay off',
    description:
      'What still waits is never sent. The few deliveries that are due or in flight end, and their outcomes are still counted.',
  },
}

export const replayRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (
  app,
  { db, world, links, seal, checkUrl },
) => {
  /** Whoever chooses the receiver reads what it is sent. */
  async function targetOf(text: string, credential: Credential): Promise<string> {
    if (may(credential, 'payloads:read')) return checkUrl(text, '/target_url')
    throw new Problem('forbidden', `A replay to another URL shows payloads. ${nameOf(credential)} may not read them.`)
  }

  app.post(
    '/replays',
    {
      config: { permission: 'replays:write', audit: 'replay_created' },
      schema: {
        operationId: 'createReplay',
        summary: 'Draft a replay, and see what it would send',
        description: `Nothing is sent before it is run. The deliveries are fixed now: what is published or fails later is not part of it. A draft that is not run within ${limits.replayDraftHours} hours expires. Replay what still fails of another one with the filter \`{"replay": "rpl_…"}\`.`,
        tags,
        body: reference(CreateReplay),
        response: { 201: reference(CreatedReplay), ...refusals({ body: true }, 'limit_reached', 'invalid_url') },
      },
    },
    async ({ body, credential, audit }, reply) => {
      const targetUrl = body.target_url === undefined ? null : await targetOf(body.target_url, credential)
      const draft = {
        filter: body.filter,
        choice: body.only ?? 'failed',
        ratePerSecond: body.rate_per_second ?? null,
        note: body.note ?? null,
        targetUrl,
        actor: credential.actor,
      }
      const drafted = await draftReplay(audited({ db, world, seal }, audit), draft, credential.tenantId)
      const replay = { ...replayView(drafted), target_secret: drafted.targetSecret }
      return reply.code(201).header('location', `/v1/replays/${replay.id}`).send(replay)
    },
  )

  app.get(
    '/replays',
    {
      config: { permission: 'replays:read' },
      schema: {
        operationId: 'listReplays',
        summary: 'List replays',
        description: 'A key of a tenant sees those that the tenant made itself.',
        tags,
        querystring: ReplayQuery,
        response: { 200: reference(ReplayPage), ...refusals({ body: false }) },
      },
    },
    async (request, reply) => {
      const { tenant: tenants, state: states, ...page } = request.query
      const found = await listReplays(db, { within: request.credential.tenantId, tenants, states }, page)
      return wirePage({ request, reply, links }, found, replayView)
    },
  )

  app.get(
    '/replays/:id',
    {
      config: { permission: 'replays:read' },
      schema: {
        operationId: 'getReplay',
        summary: 'Read a replay, and how far it is',
        tags,
        params,
        response: { 200: reference(Replay), ...refusals({ body: false }, 'replay_not_found') },
      },
    },
    async ({ params, credential }) => replayView(await getReplay(db, pathId('replay', params.id), credential.tenantId)),
  )

  app.patch(
    '/replays/:id',
    {
      config: { permission: 'replays:write', audit: 'replay_changed' },
      schema: {
        operationId: 'patchReplay',
        summary: 'Change how fast a replay goes on',
        description: 'A merge patch (RFC 7396): `null` takes the rate away.',
        tags,
        params,
        body: PatchReplay,
        response: {
          200: reference(Replay),
          ...refusals({ body: true }, 'replay_not_found', 'replay_state_conflict'),
        },
      },
    },
    async ({ params, body, credential, audit }) => {
      const which = { id: pathId('replay', params.id), within: credential.tenantId }
      return replayView(
        await patchReplay(audited({ db }, audit).db, which, { ratePerSecond: body.rate_per_second, note: body.note }),
      )
    },
  )

  app.get(
    '/replays/:id/items',
    {
      config: { permission: 'replays:read' },
      schema: {
        operationId: 'listReplayItems',
        summary: 'List the deliveries of a replay, with what came of each',
        tags,
        params,
        querystring: ReplayItemQuery,
        response: { 200: reference(ReplayItemPage), ...refusals({ body: false }, 'replay_not_found') },
      },
    },
    async (request, reply) => {
      const { outcome, ...page } = request.query
      const which = { id: pathId('replay', request.params.id), within: request.credential.tenantId }
      return wirePage({ request, reply, links }, await listReplayItems(db, which, outcome, page), replayItemView)
    },
  )

  for (const move of ['run', 'pause', 'resume', 'cancel'] as const) {
    app.post(
      `/replays/:id/${move}`,
      {
        config: { permission: 'replays:write', bodyOptional: true, audit: moves[move].audit },
        schema: {
          operationId: `${move}Replay`,
          summary: moves[move].summary,
          description: moves[move].description,
          tags,
          params,
          body: noBody,
          response: {
            200: reference(Replay),
            ...refusals(
              { body: true },
              'replay_not_found',
              'replay_state_conflict',
              ...(move === 'run' ? (['replay_expired'] as const) : []),
            ),
          },
        },
      },
      async ({ params, credential, audit }) => {
        const which = { id: pathId('replay', params.id), within: credential.tenantId }
        return replayView(await moveReplay(audited({ db }, audit), move, which))
      },
    )
  }
}
