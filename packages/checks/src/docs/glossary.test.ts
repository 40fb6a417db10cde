import * as contract from '@posthorn/contract'
import { expect, test } from 'vitest'
import { readCheckout, readDocument } from './documents.ts'
import { codeIn, type Document } from './markdown.ts'

const document = readDocument('docs/glossary.md')

/** Where docs/glossary.md lists the words of each closed list: the first column of a table, or a paragraph. */
const places: Readonly<Record<string, { heading: string; column?: string }>> = {
  deliveryStates: { heading: 'States of a delivery', column: 'State' },
  canceledReasons: { heading: 'States of a delivery', column: 'Reason' },
  subscriptionStates: { heading: 'States of a subscription', column: 'State' },
  breakerStates: { heading: 'Circuit breaker', column: 'State' },
  systemEventTypes: { heading: 'System events', column: 'Event type' },
  disabledReasons: { heading: 'States of a subscription', column: 'Reason' },
  payloadFormats: { heading: 'Payload formats', column: 'Format' },
  credentialTypes: { heading: 'Credentials of a subscription', column: 'Type' },
  clientAuthentications: { heading: 'Credentials of a subscription', column: 'Client authentication' },
  attemptTriggers: { heading: 'Triggers of an attempt', column: 'Trigger' },
  filterOperators: { heading: 'Filters' },
  matchReasons: { heading: 'Reasons of a match', column: 'Reason' },
  failureCodes: { heading: 'Failure codes' },
  eventTypeStates: { heading: 'Event types', column: 'State' },
  validationModes: { heading: 'Event types', column: 'Validation' },
  apiKeyRoles: { heading: 'Roles of an API key', column: 'Role' },
  grantablePermissions: { heading: 'Roles of an API key', column: 'Permission' },
  portalCapabilities: { heading: 'Capabilities of a portal session', column: 'Capability' },
  credentialKinds: { heading: 'Capabilities of a portal session', column: 'Kind of credential' },
  auditActions: { heading: 'Actions in the audit log', column: 'Action' },
  erasureStates: { heading: 'States of an erasure', column: 'State' },
  portalThemeModes: { heading: 'Capabilities of a portal session', column: 'Mode of the theme' },
  signatureSchemes: { heading: 'Signature schemes', column: 'Scheme' },
  outboxEventStates: { heading: 'States of an event in the outbox', column: 'State' },
  replayChoices: { heading: 'States of a replay', column: 'Choice' },
  replayOutcomes: { heading: 'States of a replay', column: 'Outcome' },
  replaySkipReasons: { heading: 'States of a replay', column: 'Skip reason' },
  signatureCauses: { heading: 'Causes of a signature check' },
  receiverChecks: { heading: 'Checks of a receiver' },
  checkVerdicts: { heading: 'Verdicts of a check', column: 'Verdict' },
  observationFindings: { heading: 'Findings', column: 'Finding' },
  replayStates: { heading: 'States of a replay', column: 'State' },
}

test('docs/glossary.md has a place for every closed list of words', () => {
  const states = readCheckout().get('packages/contract/src/states.ts') ?? ''
  const lists = [...states.matchAll(/^export const (\w+) = \[/gm)].map(([, name]) => name)
  expect(lists.toSorted()).toEqual(Object.keys(places).toSorted())
})

test.for(Object.entries(places))('docs/glossary.md explains all of %s, and nothing else', ([name, place]) => {
  const list = Object.entries<unknown>(contract).find(([exported]) => exported === name)?.[1]
  expect(wordsAt(document, place)).toEqual(list)
})

test('docs/glossary.md names as resendable and cancelable what is', () => {
  const section = document.sections.find(({ title }) => title === 'States of a delivery')?.text.replaceAll('\n', ' ')
  for (const [action, states] of Object.entries(contract.deliveryCan)) {
    const sentence = section?.split(/[.;]/).find((part) => codeIn(part)[0] === action)
    expect(codeIn(sentence ?? '').slice(1)).toEqual(states)
  }
})

function wordsAt({ tables, sections }: Document, { heading, column }: { heading: string; column?: string }): string[] {
  if (column === undefined) return codeIn(sections.find(({ title }) => title === heading)?.text ?? '')
  const table = tables.find((each) => each.heading === heading && each.header[0] === column)
  return table?.rows.flatMap(({ cells }) => codeIn(cells[0] ?? '')) ?? []
}
