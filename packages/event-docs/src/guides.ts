import { languageNames } from './samples/manifest.ts'

/** The pages that do not belong to one event type, in the order of reading, and what each is for. */
export const guides = [
  { path: 'index', title: 'Overview', about: 'what there is, and the facts at a glance' },
  { path: 'quickstart', title: 'Quickstart', about: 'from nothing to a receiver that verifies signatures' },
  { path: 'requests', title: 'What a request looks like', about: 'every header, and the body around the data' },
  {
    path: 'verify',
    title: 'Verifying signatures',
    about: `step by step, with code in ${Object.keys(languageNames).length} languages`,
  },
  { path: 'responding', title: 'Responding to events', about: 'status codes, repeated deliveries, order' },
  {
    path: 'delivery',
    title: 'Retries and limits',
    about: 'the schedule, timeouts, and when a subscription is disabled',
  },
  {
    path: 'testing',
    title: 'Testing',
    about: 'signed samples, test events, real events on your own machine (listen), checks of a signature',
  },
  { path: 'receiver-check', title: 'Receiver check', about: 'nine requests that show how a receiver behaves' },
  { path: 'production', title: 'Going to production', about: 'a checklist' },
  { path: 'errors', title: 'Failure codes', about: 'what each means and how to fix it' },
] as const

/** The pages about all event types. */
export const catalogues = [
  { path: 'events', title: 'All event types', about: 'what is sent, and when' },
  { path: 'changelog', title: 'Changelog', about: 'what each version changed' },
] as const

export type GuidePath = (typeof guides | typeof catalogues)[number]['path']
