/** What the refusal of a URL tells people, by its reason. */
export const urlRefusals = {
  too_long: /longer than 2048 characters/,
  invalid_character: /a space, a control character or a backslash/,
  not_a_url: /is not a URL/,
  scheme: /https:\/\//,
  credentials: /a user name or password/,
  fragment: /a fragment/,
  port: /^Port 22 is not allowed/,
  hostname: /^The host name is not a public one/,
  blocked_address: /^The address of the receiver is not allowed/,
  unresolvable: /^The host name (has no address|could not be resolved)/,
} as const
