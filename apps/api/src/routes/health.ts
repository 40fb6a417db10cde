import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Health, Problem, ProblemSchema, Readiness, reference } from '@posthorn/contract'
import type { RouteParts } from '../parts.ts'
import { sendProblem } from '../plugins/problems.ts'
import { readinessOf } from '../readiness.ts'

const tags = ['Health']

/** Public: a load balancer has no key. */
export const healthRoutes: FastifyPluginAsyncTypebox<Pick<RouteParts, 'readiness' | 'links'>> = async (app, parts) => {
  app.get(
    '/healthz',
    {
      schema: {
        operationId: 'getHealth',
        summary: 'Whether the process lives. Looks at nothing else.',
        tags,
        security: [],
        response: { 200: reference(Health) },
      },
    },
    async () => ({ status: 'ok' as const }),
  )

  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'getReadiness',
        summary: 'Whether the process can work: database, migrations, partitions, queue, dispatcher',
        tags,
        security: [],
        response: {
          200: reference(Readiness),
          503: {
            description:
              '`not_ready`: a required check failed. The body is a problem with the members `ready` and `checks`.',
            content: { 'application/problem+json': { schema: reference(ProblemSchema) } },
          },
        },
      },
    },
    async (_request, reply) => {
      const readiness = await readinessOf(parts.readiness)
      if (readiness.ready) return readiness
      const failed = readiness.checks.filter((check) => check.required && !check.ok).map(({ name }) => name)
      const problem = new Problem('not_ready', `Not ready: ${failed.join(', ')}.`)
      return sendProblem(reply, problem, parts.links, readiness)
    },
  )
}
