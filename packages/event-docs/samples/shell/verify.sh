#!/bin/sh
# Checks one request by hand with openssl: the body is on standard input, the rest in the
# environment.
#
#   WEBHOOK_SECRET=whsec_… ID=evt_… TIMESTAMP=1767225600 SIGNATURE='v1,…' \
#     sh verify.sh < body.json
#
# Use it to inspect a request, not in a server: other users of the machine can see the key in
# the arguments of openssl.
set -eu
export LC_ALL=C

tolerance=300

refuse() {
  echo "refused: $1" >&2
  exit 1
}

id=${ID-} timestamp=${TIMESTAMP-} signatures=${SIGNATURE-}
case $id in '' | *[!A-Za-z0-9_-]*) refuse 'webhook-id is missing or malformed' ;; esac
case $timestamp in
  '' | 0* | *[!0-9]* | ????????????*) refuse 'webhook-timestamp is not in seconds' ;;
esac
case $signatures in
  '' | ' '* | *' ' | *'  '* | *[!!-~\ ]*) refuse 'webhook-signature is malformed' ;;
esac
age=$(($(date +%s) - timestamp))
if [ "$age" -gt "$tolerance" ] || [ "$age" -lt "-$tolerance" ]; then
  refuse "it was signed ${age} s ago"
fi

body=$(mktemp)
trap 'rm -f "$body"' EXIT
cat > "$body"

# One secret, or several separated by spaces while you rotate.
set -f
for secret in ${WEBHOOK_SECRET:?Set it to whsec_…}; do
  key=$(printf '%s' "${secret#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
  if [ "${#key}" -lt 48 ]; then refuse 'WEBHOOK_SECRET is not whsec_…'; fi
  # The signed content: id, timestamp and raw body, joined by dots.
  expected=v1,$({ printf '%s.%s.' "$id" "$timestamp" && cat "$body"; } |
    openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)
  count=0
  for given in $signatures; do
    count=$((count + 1))
    if [ "$count" -gt 32 ]; then refuse 'webhook-signature has more than 32 signatures'; fi
    if [ "$given" = "$expected" ]; then matches=yes; fi
  done
done
if [ "${matches-}" != yes ]; then refuse 'no signature matches'; fi
echo "authentic $id"
