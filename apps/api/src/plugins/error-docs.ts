/**
 * `/docs/errors.md`: what each problem code means. Every problem links to its place there, so the explanation comes from
 * the installation that refused, in its own version and without the Internet.
 */
import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'

export const errorDocsPath = '/docs/errors.md'
const file = new URL('../../../../docs/errors.md', import.meta.url)

/** Registered in a scope of its own, so that the policy is for this page only. */
export async function errorDocs(app: FastifyInstance): Promise<void> {
  const page = pageOf(await readFile(file, 'utf8'))
  app.get(errorDocsPath, { schema: { hide: true } }, async (_request, reply) => {
    reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
    return reply.type('text/html; charset=utf-8').send(page)
  })
}

/** The text as it is, with a place to link to at each heading. */
function pageOf(markdown: string): string {
  const escaped = markdown.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  const body = escaped.replaceAll(
    /^#{2,3} (.+)$/gm,
    (line, heading: string) => `<b id="${anchorOf(heading)}">${line}</b>`,
  )
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Posthorn errors</title><pre style="white-space:pre-wrap;max-width:50rem">${body}</pre></html>`
}

function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^a-z0-9_]+/g, '-')
}
