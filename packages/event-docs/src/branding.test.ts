import { expect, test } from 'vitest'
import { readBranding } from './branding.ts'

const logo = 'data:image/svg+xml;base64,PHN2Zy8+'

test('a branding with all that it may have is taken as it is', () => {
  const branding = {
    name: 'Acme',
    logo,
    logo_dark: logo,
    color: '#0f766e',
    color_dark: '#5eead4',
    intro: 'Hello.',
    support: 'mailto:help@acme.example',
    portal: 'https://app.acme.example',
  }
  expect(readBranding(branding)).toEqual(branding)
})

test.each([
  [{}, 'the branding: must have required property'],
  [{ name: 'A'.repeat(81) }, 'the branding at /name: '],
  [{ name: 'Acme', color: 'red' }, 'the branding at /color: '],
  [{ name: 'Acme', logo: 'https://acme.example/logo.svg' }, 'the branding at /logo: '],
  [{ name: 'Acme', support: 'javascript:alert(1)' }, 'the branding at /support: '],
  [{ name: 'Acme', colour: '#0f766e' }, 'the branding'],
])('%j is refused, and the message says that it is in the branding and where', (value, message) => {
  expect(() => readBranding(value)).toThrow(message)
})
