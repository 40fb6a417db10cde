/**
 * The colors of an operator on our pages. A color that suits a white page is often too dark on a dark one, so that it is
 * made lighter there, as far as it takes to be read (WCAG 2.2, 1.4.3).
 */

/** `--page` and `--raised` of assets/style.css, in light and in dark: what links stand on. */
export const lightPages = ['#ffffff', '#f6f7f9'] as const
export const darkPages = ['#12151c', '#1a1f29'] as const

export const contrastMin = 4.5

/** @param color `#rrggbb` */
export function contrast(color: string, other: string): number {
  const [one = 0, two = 0] = [luminance(color), luminance(other)].toSorted((a, b) => b - a)
  return (one + 0.05) / (two + 0.05)
}

/** How well a color can be read where it can be read worst. */
export function contrastOn(pages: readonly string[], color: string): number {
  return Math.min(...pages.map((page) => contrast(color, page)))
}

/** The color itself, or the darkest lighter one that can be read on a dark page. */
export function lightened(color: string): string {
  for (let part = 0; part < 1; part += 0.02) {
    const mixed = hex(channels(color).map((channel) => channel + (255 - channel) * part))
    if (contrastOn(darkPages, mixed) >= contrastMin) return mixed
  }
  return '#ffffff'
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = channels(color).map((channel) => {
    const part = channel / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function channels(color: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))
}

function hex(values: readonly number[]): string {
  return `#${values.map((value) => Math.round(value).toString(16).padStart(2, '0')).join('')}`
}
