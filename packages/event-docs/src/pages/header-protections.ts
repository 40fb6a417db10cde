/** How it is shown whether the signature protects a header. */
import { mark, type Spans } from '../page/blocks.ts'
import type { HeaderProtection } from '../signed-delivery.ts'

export const headerProtections: Readonly<Record<HeaderProtection, Spans>> = {
  signed: [mark('signed', 'good')],
  signature: ['the signature'],
  unsigned: [mark('not signed')],
}
