/** Texts of others on a terminal, which obeys control characters, and turns around what directions of writing ask for. */

/** The text as one line of what can be seen. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '\ufffd')
}
