/** What was published under an event type, beside what its schema declares. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { limits, Observations, reference } from '@posthorn/contract'
import { sampleEvents } from '@posthorn/engine'
import { Type } from 'typebox'
import { observeSample } from '../observing.ts'
import type { RouteParts } from '../parts.ts'
import { readerOf } from '../reader.ts'
import { refusals } from '../refusals.ts'
import { observationsView } from '../views/observations.ts'

export const observationRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, { db, world }) => {
  app.get(
    '/event-types/:name/observations',
    {
      config: { permission: 'observations:read' },
      schema: {
        operationId: 'getObservations',
        summary: 'Compare what was published with what the schema declares',
        description: `Looks at events of all tenants since the newest version was made: at most ${limits.observedEventsMax} of ${limits.observedDays} days, which are those among the newest that were published at all, and a part of the older ones. It tells which members came that the schema does not know, which never came, which are missing although they are required, and which types and values came that it does not have. Counts only: values are told where the schema lists them, or where one beside its list looks like a word of a program. Events whose content was erased are not looked at.`,
        tags: ['Event types'],
        params: Type.Object({ name: Type.String({ examples: ['invoice.paid'] }) }),
        response: { 200: reference(Observations), ...refusals({ body: false }, 'event_type_not_found') },
      },
    },
    async ({ params, credential }) => {
      const sample = await sampleEvents({ db, world }, params.name)
      return observationsView(sample, await observeSample(sample), readerOf(credential))
    },
  )
}
