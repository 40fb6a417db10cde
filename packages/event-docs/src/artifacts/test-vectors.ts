/** Right and wrong signatures for implementations in any language: those that `@posthorn/signing` is tested with. */
import vectors from '@posthorn/signing/vectors.json' with { type: 'json' }
import type { Artifact } from '../artifact.ts'
import { jsonArtifact } from './json.ts'

export function testVectors(): Artifact {
  return jsonArtifact(vectors)
}
