#!/bin/sh
# Track a run with curl alone: any language that speaks HTTP and JSON can do the same.
#
#   trackstore server                                   # in another terminal
#   sh examples/curl.sh                                 # or: sh examples/curl.sh http://host:5000
set -eu
server=${1:-http://127.0.0.1:5000}
api=$server/api/2.0/mlflow
files=$server/api/2.0/mlflow-artifacts/artifacts

post() { # post PATH JSON: the reply in $reply; the server's message and an end, if it refuses
    reply=$(curl --silent --show-error --fail-with-body "$api/$1" --data "$2" \
        --header 'Content-Type: application/json') || { echo "$1: $reply" >&2; exit 1; }
}
field() { # field NAME: the value of that name in the last reply
    echo "$reply" | sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"
}
now() { echo "$(date +%s)000"; } # milliseconds since 1970

echo "1. an experiment, under a name that is new each time"
name="curl $(date +%s).$$"
post experiments/create "{\"name\": \"$name\"}"
experiment=$(field experiment_id)

echo "2. a run"
post runs/create "{\"experiment_id\": \"$experiment\", \"run_name\": \"by hand\",
    \"start_time\": $(now), \"tags\": [{\"key\": \"client\", \"value\": \"curl\"}]}"
run=$(field run_uuid)

echo "3. a param, a metric point, and a batch, of which all or nothing is kept"
post runs/log-parameter "{\"run_id\": \"$run\", \"key\": \"rate\", \"value\": \"0.1\"}"
post runs/log-metric "{\"run_id\": \"$run\", \"key\": \"loss\", \"value\": 0.9,
    \"timestamp\": $(now), \"step\": 0}"
post runs/log-batch "{\"run_id\": \"$run\", \"params\": [{\"key\": \"depth\", \"value\": \"3\"}],
    \"metrics\": [{\"key\": \"loss\", \"value\": 0.4, \"timestamp\": $(now), \"step\": 1},
                {\"key\": \"gap\", \"value\": \"Infinity\", \"timestamp\": $(now), \"step\": 1}]}"

echo "4. a file, up and down again"
path=$experiment/$run/artifacts/notes/readme.txt
echo "written by curl" | curl --silent --show-error --fail-with-body --output /dev/null \
    --request PUT --data-binary @- --header 'Content-Type: text/plain' "$files/$path"
curl --silent --show-error --fail-with-body "$files/$path"

echo "5. the end of the run"
post runs/update "{\"run_id\": \"$run\", \"status\": \"FINISHED\", \"end_time\": $(now)}"

echo "6. a search"
post runs/search "{\"experiment_ids\": [\"$experiment\"],
    \"filter\": \"metrics.loss < 0.5 AND params.rate = '0.1' AND attributes.status = 'FINISHED'\"}"
echo "$reply"
