/** The version of this installation, as it stands in `user-agent`, `/openapi.json` and the transcript of the demo. */
export const version = '0.1.0'
