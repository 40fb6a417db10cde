/** What valid HTML is, for the pages of the event documentation. */
import { HtmlValidate, type ResolvedConfig, StaticConfigLoader } from 'html-validate'

export function createHtmlValidator(): HtmlValidate {
  const configuration = new KeptConfiguration({
    extends: ['html-validate:standard', 'html-validate:document'],
    rules: {
      // Ids of fields have the signs of paths; encoded in addresses, they are found.
      'valid-id': 'off',
      'long-title': 'off',
      'no-trailing-whitespace': 'off',
      // The `{` and `"` of code stand as they are.
      'no-raw-characters': ['error', { relaxed: true }],
      'no-inline-style': 'error',
      'require-sri': 'off',
    },
  })
  return new HtmlValidate(configuration)
}

/** The same for every page. Made anew for each, as the loader would, it takes as long as to validate the page. */
class KeptConfiguration extends StaticConfigLoader {
  #kept: ResolvedConfig | Promise<ResolvedConfig> | undefined

  override getConfigFor(handle: string): ResolvedConfig | Promise<ResolvedConfig> {
    this.#kept ??= super.getConfigFor(handle)
    return this.#kept
  }
}
