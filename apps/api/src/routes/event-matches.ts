/** What explains filters: why an event went where it went, and what a filter says about an event. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CheckFilter, EventMatches, FilterCheck, PathId, reference } from '@posthorn/contract'
import { checkFilter, explainEvent, givenFilter, memberText } from '@posthorn/engine'
import { Type } from 'typebox'
import type { RouteParts } from '../parts.ts'
import { pathId } from '../path-id.ts'
import { may } from '../permissions.ts'
import { withinLimit } from '../publish-body.ts'
import { refusals } from '../refusals.ts'
import { filterText } from '../subscription-body.ts'
import { eventMatchView, filterCheckView } from '../views/match.ts'

export const eventMatchRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, { db }) => {
  app.get(
    '/events/:id/matches',
    {
      config: { permission: 'subscriptions:read' },
      schema: {
        operationId: 'listEventMatches',
        summary: 'See why an event went to some subscriptions and not to others',
        description:
          'Every subscription of the tenant, judged by its settings of today: earlier ones are not kept. `created_later` and `changed_later` say where they may have been others when the event was published.',
        tags: ['Events'],
        params: Type.Object({ id: PathId('event') }),
        response: { 200: reference(EventMatches), ...refusals({ body: false }, 'event_not_found', 'content_erased') },
      },
    },
    async ({ params, credential }) => {
      const matches = await explainEvent(db, pathId('event', params.id), credential.tenantId)
      const payloads = may(credential, 'payloads:read')
      return { data: matches.map((match) => eventMatchView(match, payloads)) }
    },
  )

  app.post(
    '/subscriptions/:id/filter-checks',
    {
      config: {
        permission: 'subscriptions:read',
        changesNothing: true,
        textKept: 'data',
        audit: { none: 'it changes nothing' },
      },
      schema: {
        operationId: 'checkFilter',
        summary: 'Try an event on a subscription',
        description:
          'Says whether the subscription would get the event and, if not, which clause of its filter the event does not fulfil. With `filter`, that one is tried in place of its own; null tries none. Nothing is stored or sent.',
        tags: ['Subscriptions'],
        params: Type.Object({ id: PathId('subscription') }),
        body: CheckFilter,
        response: {
          200: reference(FilterCheck),
          ...refusals({ body: true }, 'subscription_not_found', 'invalid_filter'),
        },
      },
    },
    async ({ params, body, bodyText, credential }) => {
      const id = pathId('subscription', params.id)
      const event = { type: body.type, keys: body.keys ?? {}, data: withinLimit(memberText(bodyText, 'data')) }
      const filter = body.filter === undefined ? undefined : triedFilter(body.filter, bodyText)
      return filterCheckView(await checkFilter(db, id, credential.tenantId, { event, filter }))
    },
  )
}

/** @throws Problem `invalid_filter` */
function triedFilter(filter: object | null, bodyText: string) {
  const text = filterText(filter, bodyText)
  return text === null ? null : givenFilter(text, '/filter')
}
