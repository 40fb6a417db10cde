/** Failure codes: why an attempt can fail, in the words of docs/errors.md, for the developer of a receiver. */
import { type FailureCode, failureCodes } from '@posthorn/contract'
import type { Documentation } from '../documentation.ts'
import type { Explanations } from '../explanations.ts'
import { type Block, heading, type Page, paragraph, say, spansOf, table } from '../page/blocks.ts'

/** Those that are the sender's own affair come last. */
const ofTheSender: ReadonlySet<FailureCode> = new Set(['egress_proxy_failed', 'aborted', 'internal_error'])

export function errorsPage({ explanations, branding }: Documentation): Page {
  const yours = failureCodes.filter((one) => !ofTheSender.has(one))
  const ours = failureCodes.filter((one) => ofTheSender.has(one))
  return {
    path: 'errors',
    title: 'Failure codes',
    summary: 'Why an attempt failed, what usually causes it, and what to do.',
    marks: [],
    blocks: [
      say`Every failed attempt has one of these codes and a sentence that says more. You see them on your deliveries and in the response to a [test event](testing.html#a-test-event).`,
      table(
        'Failure codes',
        ['Code', 'What it means'],
        failureCodes.map((one) => ({
          cells: [
            [{ kind: 'link', to: 'errors.html', fragment: one, text: one }],
            spansOf(explanations.failure(one).meaning),
          ],
        })),
        'list',
      ),
      heading(2, 'On your side'),
      ...yours.flatMap((one) => sectionOf(one, explanations)),
      heading(2, `On the side of ${branding.name}`),
      say`Your receiver is not at fault, and there is nothing for you to do.`,
      ...ours.flatMap((one) => [heading(3, one, one), paragraph(...spansOf(explanations.failure(one).meaning))]),
    ],
  }
}

function sectionOf(failureCode: FailureCode, explanations: Explanations): Block[] {
  const { meaning, paragraphs } = explanations.failure(failureCode)
  return [heading(3, failureCode, failureCode), ...[meaning, ...paragraphs].map((text) => paragraph(...spansOf(text)))]
}
