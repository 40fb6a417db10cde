/** Failure codes: what an attempt can fail of, in the words of docs/errors.md, for the developer of a receiver. */
import { type FailureCode, failureCodes } from '@posthorn/contract'
import type { Documentation } from '../documentation.ts'
import type { Explanations } from '../explanations.ts'
import { type Block, heading, type Page, paragraph, prose, say, spansOf, table } from '../page/blocks.ts'

/** Those that are the sender's own affair come last. */
const ofTheSender: ReadonlySet<FailureCode> = new Set(['egress_proxy_failed', 'aborted', 'internal_error'])

export function errorsPage({ explanations, branding }: Documentation): Page {
  const yours = failureCodes.filter((one) => !ofTheSender.has(one))
  const ours = failureCodes.filter((one) => ofTheSender.has(one))
  return {
    path: 'errors',
    title: 'Failure codes',
    summary: 'Why an attempt failed, the usual causes, and what to do.',
    marks: [],
    blocks: [
      say`An attempt that failed has one of these codes, and a sentence beside it. You find them with your deliveries, and in the answer to a [test event](testing.html#a-test-event).`,
      table(
        'Failure codes',
        ['Code', 'What it means'],
        failureCodes.map((one) => ({
          cells: [
            [{ kind: 'link', to: 'errors.html', fragment: one, text: one }],
            spansOf(explanations.failure(one).meaning),
          ],
        })),
      ),
      heading(2, 'About your receiver'),
      ...yours.flatMap((one) => sectionOf(one, explanations)),
      heading(2, `About ${branding.name}`),
      paragraph(...prose`Your receiver is not at fault here, and there is nothing to do.`),
      ...ours.flatMap((one) => [heading(3, one, one), paragraph(...spansOf(explanations.failure(one).meaning))]),
    ],
  }
}

function sectionOf(failureCode: FailureCode, explanations: Explanations): Block[] {
  const { meaning, paragraphs } = explanations.failure(failureCode)
  return [heading(3, failureCode, failureCode), ...[meaning, ...paragraphs].map((text) => paragraph(...spansOf(text)))]
}
