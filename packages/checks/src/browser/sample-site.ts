/** The site that the browser looks at: 200 event types of our own making, as an operator named Acme would publish them. */
import { createDocumentation, openSite, type Site } from '@posthorn/event-docs'
import { manyEventTypes } from '@posthorn/event-docs/testing'

export function openSampleSite(): Site {
  return openSite(
    createDocumentation({
      source: manyEventTypes(),
      branding: { name: 'Acme', color: '#0f766e', color_dark: '#5eead4', portal: 'https://app.acme.example/webhooks' },
      baseUrl: 'https://docs.acme.example/webhooks',
      apiUrl: 'https://api.acme.example',
    }),
  )
}
