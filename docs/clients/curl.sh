#!/usr/bin/env bash
# Wowmedia with curl: source this file, or run it with a photo: BASE=http://127.0.0.1:8080 ./curl.sh beach.jpg
set -euo pipefail
BASE=${BASE:-http://127.0.0.1:8080}
TOKENS=${TOKENS:-tokens.json}
ANSWER=$(mktemp)
trap 'rm -f "$ANSWER"' EXIT

# member NAME < JSON
member() { sed -nE "s/.*\"$1\":\"([^\"]*)\".*/\1/p"; }
is() { grep -q "\"$1\":true" "$ANSWER"; }

# request METHOD PATH TOKEN [curl arguments]: status in STATUS, body in the file ANSWER
request() {
  local method=$1 path=$2 token=$3
  shift 3
  STATUS=$(curl -sS -X "$method" -o "$ANSWER" -w '%{http_code}' ${token:+-H "Authorization: Bearer $token"} "$@" "$BASE$path") || STATUS=000
}

# Kept whole or not at all, and before the access token is used.
keep_tokens() {
  (umask 077 && cp "$ANSWER" "$TOKENS.new")
  mv "$TOKENS.new" "$TOKENS"
}

# sign_in /login|/registration NAME PASSWORD
sign_in() {
  request POST "$1" '' -H 'Content-Type: application/json' -d "{\"username\":\"$2\",\"password\":\"$3\"}"
  case $STATUS in 200 | 201) keep_tokens ;; *) return 1 ;; esac
}

# refresh OLD_ACCESS_TOKEN: one at a time, also of several processes; whoever waited takes what the first one got
refresh() {
  until mkdir "$TOKENS.lock" 2>/dev/null; do sleep 0.1; done
  if [ "$(member access_token <"$TOKENS")" = "$1" ]; then
    request POST /token/refresh "$(member refresh_token <"$TOKENS")" --retry 4 --retry-all-errors
    if [ "$STATUS" = 200 ]; then keep_tokens; fi
    if is sign_in_again; then rm -f "$TOKENS"; fi
  fi
  rmdir "$TOKENS.lock"
  [ -f "$TOKENS" ]
}

# call METHOD PATH [curl arguments]: with the access token; where that is old, one refresh and once more
call() {
  local method=$1 path=$2 access
  shift 2
  access=$(member access_token <"$TOKENS")
  request "$method" "$path" "$access" "$@"
  case $STATUS:$(member code <"$ANSWER") in
    401:token_expired | 401:token_invalid)
      refresh "$access"
      request "$method" "$path" "$(member access_token <"$TOKENS")" "$@"
      ;;
  esac
}

# repeat METHOD PATH …: while the answer is lost or says `retryable`
repeat() {
  for wait in 1 2 4 8 0; do
    call "$@"
    case $STATUS in 2*) return 0 ;; 000) ;; *) is retryable || return 1 ;; esac
    sleep "$wait"
  done
  return 1
}

# upload FILE KEY: the same key again is the same photo, also after a crash
upload() { repeat POST /file -H "Idempotency-Key: $2" -F "file=@$1"; }

# upload_large FILE TYPE KEY: announces it, sends it to the bucket, completes it; started again it goes on
upload_large() {
  local file=$1 type=$2 key=$3 size url id at reply
  size=$(($(wc -c <"$file")))
  repeat POST /uploads -H "Idempotency-Key: $key" -H 'Content-Type: application/json' \
    -d "{\"content_type\":\"$type\",\"bytes\":$size,\"original_name\":\"${file##*/}\"}"
  url=$(member upload_url <"$ANSWER")
  id=$(member id <"$ANSWER")
  while :; do
    # where does it stand? 308 with a Range, or none; 200 once all is there
    reply=$(curl -sS -X PUT -D - -o /dev/null -H "Content-Range: bytes */$size" -H 'Content-Length: 0' "$url" | tr -d '\r')
    case $reply in HTTP/*\ 200* | HTTP/*\ 201*) break ;; HTTP/*\ 308*) ;; *) return 1 ;; esac
    at=$(printf '%s\n' "$reply" | sed -nE 's/^[Rr]ange: bytes=0-([0-9]+)$/\1/p')
    at=$((${at:--1} + 1))
    tail -c +$((at + 1)) "$file" | curl -sS -o /dev/null -X PUT -T - -H 'Transfer-Encoding:' -H 'Expect:' \
      -H "Content-Length: $((size - at))" -H "Content-Range: bytes $at-$((size - 1))/$size" "$url" || sleep 1
  done
  repeat POST "/uploads/$id/complete"
}

if [ "${BASH_SOURCE[0]}" = "$0" ] && [ $# -gt 0 ]; then
  upload "$1" "$(date +%s)-$$"
  cat "$ANSWER"
fi
