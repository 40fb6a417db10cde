/** Tries a transform on an event before it is kept. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  PathId,
  type PreviewTransform,
  Problem,
  PreviewTransform as previewTransformBody,
  reference,
  TransformPreview,
} from '@posthorn/contract'
import { memberText, previewTransform } from '@posthorn/engine'
import { Type } from 'typebox'
import type { RouteParts } from '../parts.ts'
import { givenIds, pathId } from '../path-id.ts'
import { may, nameOf } from '../permissions.ts'
import { timeOf, withinLimit } from '../publish-body.ts'
import { readerOf } from '../reader.ts'
import { refusals } from '../refusals.ts'
import { transformPreviewView } from '../views/match.ts'

export const transformPreviewRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, parts) => {
  app.post(
    '/subscriptions/:id/transform-previews',
    {
      config: {
        permission: 'subscriptions:write',
        changesNothing: true,
        textKept: 'data',
        audit: { none: 'it changes nothing' },
      },
      schema: {
        operationId: 'previewTransform',
        summary: 'See what a subscription would be sent of an event',
        description:
          'Evaluates its transform, or the one that is given, on an event that was published (`event_id`) or on one that nobody has (`type` and `data`), under the limits of real attempts, and answers with the request or with the reason why there would be none. Nothing is stored or sent.',
        tags: ['Subscriptions'],
        params: Type.Object({ id: PathId('subscription') }),
        body: previewTransformBody,
        response: {
          200: reference(TransformPreview),
          ...refusals(
            { body: true },
            'subscription_not_found',
            'event_not_found',
            'invalid_transform',
            'content_erased',
          ),
        },
      },
    },
    async ({ params, body, bodyText, credential }) => {
      if (body.event_id !== undefined && !may(credential, 'payloads:read')) {
        const why = 'may not see what events hold: give `type` and `data` in place of `event_id` (payloads:read).'
        throw new Problem('forbidden', `${nameOf(credential)} ${why}`)
      }
      const id = pathId('subscription', params.id)
      const { transform } = body
      const given = { event: eventOf(body, bodyText), ...(transform === undefined ? {} : { transform }) }
      const shown = await previewTransform(parts, id, credential.tenantId, given)
      return transformPreviewView(shown, readerOf(credential))
    },
  )
}

function eventOf(body: PreviewTransform, bodyText: string) {
  const { event_id, type, keys = {}, timestamp } = body
  const data = memberText(bodyText, 'data')
  if (event_id !== undefined) {
    const other = ['type', 'data', 'keys', 'timestamp'].find((name) => Object.hasOwn(body, name))
    if (other !== undefined)
      throw refused(`/${other}`, 'cannot stand beside event_id, which names an event that has all of it')
    const [eventId = ''] = givenIds('event', [event_id])
    return { id: eventId }
  }
  if (type === undefined) throw refused('/type', 'is missing: give an event_id, or type and data')
  if (data === undefined) throw refused('/data', 'is missing: give an event_id, or type and data')
  return { type, keys, data: withinLimit(data), timestamp: timestamp === undefined ? undefined : timeOf(timestamp) }
}

function refused(pointer: string, detail: string): Problem {
  return new Problem('invalid_request', `${pointer.slice(1)} ${detail}.`, { errors: [{ pointer, detail }] })
}
