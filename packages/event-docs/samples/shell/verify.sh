#!/bin/sh
# Judges one request by hand, with openssl: the body comes on standard input, the rest by environment.
#
#   WEBHOOK_SECRET=whsec_… ID=evt_… TIMESTAMP=1767225600 SIGNATURE='v1,…' sh verify.sh < body.json
#
# For looking at what was received. A server does not belong here: other users of the machine can see the key among
# the arguments of openssl.
set -eu
export LC_ALL=C

tolerance=300

refuse() {
  echo "refused: $1" >&2
  exit 1
}

id=${ID-} timestamp=${TIMESTAMP-} signatures=${SIGNATURE-}
case $id in '' | *[!A-Za-z0-9_-]*) refuse 'webhook-id is missing or not well-formed' ;; esac
case $timestamp in '' | 0* | *[!0-9]* | ????????????*) refuse 'webhook-timestamp is not in seconds' ;; esac
case $signatures in '' | ' '* | *' ' | *'  '* | *[!!-~\ ]*) refuse 'webhook-signature is not well-formed' ;; esac
age=$(($(date +%s) - timestamp))
if [ "$age" -gt "$tolerance" ] || [ "$age" -lt "-$tolerance" ]; then refuse "it was signed ${age} s ago"; fi

body=$(mktemp)
trap 'rm -f "$body"' EXIT
cat > "$body"

# One secret, or two with a space between while you change from one to the other.
set -f
for secret in ${WEBHOOK_SECRET:?Set it to whsec_…}; do
  key=$(printf '%s' "${secret#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
  if [ "${#key}" -lt 48 ]; then refuse 'WEBHOOK_SECRET is not whsec_…'; fi
  # What matters: id, timestamp and body, with dots between, byte by byte as they were sent.
  expected=v1,$({ printf '%s.%s.' "$id" "$timestamp" && cat "$body"; } |
    openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)
  count=0
  for given in $signatures; do
    count=$((count + 1))
    if [ "$count" -gt 32 ]; then refuse 'webhook-signature has more than 32 signatures'; fi
    if [ "$given" = "$expected" ]; then matches=yes; fi
  done
done
if [ "${matches-}" != yes ]; then refuse 'no signature fits'; fi
echo "authentic $id"
