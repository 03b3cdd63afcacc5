#!/bin/sh
# What a shop asks of `viral serve RUN`, by curl. The server, a token, a user and two items may be given:
#   VIRAL=http://localhost:8000 TOKEN=viral_… USER_ID=u0001 ITEM_ID=p0001 OTHER_ID=p0002 sh examples/curl.sh
set -eu
server=${VIRAL:-http://localhost:8000} user=${USER_ID:-u0001} item=${ITEM_ID:-p0001} other=${OTHER_ID:-p0002}

ask() { # a title, then what curl takes; ends with an error where the server does not answer 2xx
    echo "== $1"
    shift
    if [ -n "${TOKEN:-}" ]; then set -- -H "Authorization: Bearer $TOKEN" "$@"; fi
    curl --silent --show-error --fail-with-body "$@"
    echo
}
post() { # a title, a path and a JSON body
    ask "$1" "$server$2" -H 'content-type: application/json' -d "$3"
}

ask 'is it well?' "$server/v1/health"
post 'for a user' /v1/recommend "{\"user_id\": \"$user\", \"k\": 3}"
post 'the next three' /v1/recommend "{\"user_id\": \"$user\", \"k\": 3, \"offset\": 3}"
post 'in the middle of a visit' /v1/recommend "{\"user_id\": \"$user\", \"item_ids\": [\"$item\", \"$other\"], \"k\": 3}"
post 'for somebody new, by what was looked at' /v1/recommend "{\"item_ids\": [\"$item\"], \"k\": 3}"
post 'for a stranger: what is popular' /v1/recommend '{"user_id": "nobody knows me", "k": 3}'
post 'for many at once' /v1/recommend "{\"users\": [\"$user\", {\"item_ids\": [\"$item\"]}], \"k\": 2}"
post 'without some' /v1/recommend "{\"user_id\": \"$user\", \"k\": 3, \"exclude\": {\"item_ids\": [\"$item\"]}}"
ask 'by an address alone' --get "$server/v1/recommend" --data-urlencode "user_id=$user" -d k=3
ask 'what is popular' "$server/v1/popular?k=3"
ask 'what is like an item' --get "$server/v1/similar" --data-urlencode "item_id=$item" -d k=3
ask 'why' --get "$server/v1/explain" --data-urlencode "user_id=$user" --data-urlencode "item_id=$other"
ask 'search' --get "$server/v1/items" --data-urlencode 'q=blue' -d limit=2
ask 'one item' "$server/v1/items/$item"
post 'what the user did' /v1/feedback \
    "{\"events\": [{\"user_id\": \"$user\", \"item_id\": \"$item\", \"kind\": \"cart\", \"timestamp\": \"$(date -u +%Y-%m-%dT%H:%M:%SZ)\"}]}"
