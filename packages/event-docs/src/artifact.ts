/** One file of the documentation, as a static host or the API serves it. */
export type Artifact = {
  readonly contentType: string
  readonly body: string | Uint8Array
  /** Its content never changes under this path, so it may be cached for ever. */
  readonly immutable?: boolean
}

/** Makes one file when it is asked for. The same input makes the same bytes, at any time and on any machine. */
export type MakeArtifact = () => Artifact | Promise<Artifact>

/** Files by their path below the root of the site, without a slash at the beginning: `schemas/invoice.paid/1.json`. */
export type Artifacts = ReadonlyMap<string, MakeArtifact>
