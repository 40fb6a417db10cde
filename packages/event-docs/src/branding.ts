/** How an operator makes the documentation look like their own: a small file, read from outside. */
import { once, placesOf } from '@posthorn/json-schema'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { type Static, Type } from 'typebox'
import { DocsSourceError } from './source.ts'

/** A logo is shown at the height of a line. */
const logoLengthMax = 256 * 1024
const introLengthMax = 20_000
const nameLengthMax = 80

const dataUrl = '^data:image/(png|svg\\+xml|jpeg|webp);base64,[A-Za-z0-9+/]+=*$'
const color = { pattern: '^#[0-9a-fA-F]{6}$', examples: ['#4f46e5'] }

export const Branding = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: nameLengthMax, description: 'Whose events these are: “Acme”' }),
    logo: Type.Optional(
      Type.String({
        maxLength: logoLengthMax,
        pattern: dataUrl,
        description: 'As a data URL, so that nothing is loaded from elsewhere',
      }),
    ),
    logo_dark: Type.Optional(
      Type.String({
        maxLength: logoLengthMax,
        pattern: dataUrl,
        description: 'In place of `logo` on a dark page, for one that is dark itself',
      }),
    ),
    color: Type.Optional(Type.String({ ...color, description: 'Of links and marks on a light page' })),
    color_dark: Type.Optional(
      Type.String({ ...color, description: 'The same on a dark page; made from `color` when left out' }),
    ),
    intro: Type.Optional(
      Type.String({ maxLength: introLengthMax, description: 'The first words of the overview, as paragraphs of text' }),
    ),
    support: Type.Optional(
      Type.String({
        maxLength: 2048,
        pattern: '^(https://|mailto:)\\S+$',
        description: 'Where receivers ask for help',
      }),
    ),
    portal: Type.Optional(
      Type.String({ maxLength: 2048, pattern: '^https://\\S+$', description: 'Where customers manage subscriptions' }),
    ),
  },
  { additionalProperties: false },
)
export type Branding = Static<typeof Branding>

export const brandingDefault: Branding = { name: 'Posthorn' }

/** @throws DocsSourceError with the place of each fault, which says that it is in the branding and in no other file */
export function readBranding(value: unknown): Branding {
  const hasTheForm = brandingForm()
  if (!hasTheForm(value)) {
    const places = placesOf(hasTheForm.errors ?? [])
    throw new DocsSourceError(
      places.map(({ pointer, detail }) => ({
        pointer: `the branding${pointer === '' ? '' : ` at ${pointer}`}`,
        detail,
      })),
    )
  }
  return value
}

const brandingForm = once(() => new Ajv2020({ strict: false, allErrors: true }).compile<Branding>(Branding))
