#!/usr/bin/env bash
# needs: netns postgres python
# The commands of README.md and of docs/ work as they are printed: each page in a folder and a home of its own, in a network of its own with the
# usual ports, with photos/ and with tiny models in the places that the pages name. (docs/clients.md has docs-clients.)
# Left out: ./dti test, which calls this; ./dti bench and the training of dti-mini, which take minutes and hours.
# docs-pages.sh PAGE… runs those pages alone.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ -z "${DOCS_NETWORK:-}" ]; then
  DOCS_NETWORK=own exec unshare --net -- bash "$0" "$@"
fi
ip link set lo up

# Where other programs use the cores, two threads that compute a tiny model mostly wait for each other: minutes for a training.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

work=$(mktemp -d -p "$root/artifacts")
database=$(mktemp -u -t dti-postgres-XXXXXX) # of another user, who may not read $work
trap 'leave; rm -rf "$work" "$database"' EXIT
# A copy of its own: another check may build meanwhile. The packages' files stay links.
cp -rl "$root/artifacts/published/Release" "$work/bin"
cp --remove-destination "$root"/artifacts/published/Release/{dti,Dti}* "$work/bin/"
program=$work/bin/dti
model=$root/tests/fixtures/tiny-sd15

enter() { # enter PAGE: a fresh folder and home
  page=$work/$1
  export HOME=$page/home DTI_HOME=$page/home/dti
  unset DTI_SERVER
  export DTI_MODELS=$HOME/models/stable-diffusion-v1-5
  mkdir -p "$page" "$HOME"/{ComfyUI/models/{checkpoints,embeddings},models}
  cp -r "$model" "$HOME/models/stable-diffusion-v1-5"
  echo '{"training": {"steps": 20}}' >"$HOME/models/stable-diffusion-v1-5/dti.json"
  "$program" models convert "$model" "$HOME/ComfyUI/models/checkpoints/v1-5-pruned-emaonly.safetensors" >"$page/convert.log"
  cp -r "$root/samples/clay-cat" "$page/photos"
  ln -s "$root/examples" "$root/samples" "$page/"
  cat >"$page/dti" <<'STUB'
#!/usr/bin/env bash
# ./dti as the page prints it: what would run for ever runs until the block ends, the demo is short, and the batch of trainings is small.
case $1 in
  test | bench) exit 0 ;;
  demo) unset DTI_MODELS; exec "$program" "$@" --fast ;;
  compare) unset DTI_MODELS; exec "$program" compare short.yaml "${@:3}" ;;
  train) [[ $* == *--resume* ]] || set -- "$@" --batch 1 ;;
  studio) set -- "$@" --no-browser ;;&
  serve | studio)
    [[ $* != *"--role worker"* ]] || set -- "$@" --port 0 # all machines of a cluster are this one
    n=$(ls -d started.* 2>/dev/null | wc -l)
    "$program" "$@" --json >"started.$n" 2>&1 &
    echo $! >>started.pids
    for _ in $(seq 300); do ! grep -qE 'http://|listening' "started.$n" || exit 0; sleep 0.2; done
    cat "started.$n"; exit 1 ;;
esac
case "$*" in *dti-demo/library*) unset DTI_MODELS ;; esac
exec "$program" "$@"
STUB
  chmod +x "$page/dti"
  cd "$page"
}
export program

leave() { # what the block started ends before the next one takes the ports
  local pid
  while read -r pid; do
    kill "$pid" 2>/dev/null || continue
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
    kill -KILL "$pid" 2>/dev/null || true
  done < <(tac "${page:-$work}/started.pids" 2>/dev/null) # first what was started last
  rm -f "${page:-$work}"/started.*
}

train() { "$program" train "$@" photos/ --initializer cat --steps 3 >>train.log 2>&1; }

sized() { # a concept as wide as those of Stable Diffusion 1.5 in the place of the tiny model's, for ComfyUI
  "${PYTHON:-/usr/bin/python3}" -c '
import json, struct, sys
header = json.dumps({"emb_params": {"dtype": "F32", "shape": [1, 768], "data_offsets": [0, 3072]}}).encode()
sys.stdout.buffer.write(struct.pack("<Q", len(header)) + header + struct.pack("<768f", *([0.01] * 768)))' >sized.safetensors
  "$program" concepts import my-cat sized.safetensors --force >>train.log 2>&1
}

database() { # database ADDRESS: PostgreSQL with an empty database dti and its user; not as root, which it refuses to run as
  local bin as=(setpriv --reuid nobody --regid nogroup --clear-groups --) folder=$database
  bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
  mkdir "$folder"
  chown nobody:nogroup "$folder"
  export LC_ALL=C
  (cd "$folder" && "${as[@]}" "$bin/initdb" -D "$folder/data" -U dti -A trust -E UTF8 --no-sync >"$folder/log")
  echo "host all all $1/32 trust" >>"$folder/data/pg_hba.conf"
  (cd "$folder" && exec "${as[@]}" "$bin/postgres" -D "$folder/data" -k "" -c listen_addresses="$1" -c fsync=off) >>"$folder/log" 2>&1 &
  echo $! >>started.pids
  for _ in $(seq 100); do ! "$bin/createdb" -h "$1" -U dti dti 2>"$folder/createdb" || return 0; sleep 0.1; done
  cat "$folder/log" "$folder/createdb"
  return 1
}

prepare() { # prepare PAGE BLOCK: what the text of the page has the reader do, or have, before
  case $1.$2 in
    formats.1) "$program" models convert "$model" v1-5-pruned-emaonly.safetensors >/dev/null ;;
    formats.2) rm -r sd15; cp -r "$model" sd15; mkdir -p ComfyUI/models/{checkpoints,embeddings} ;; # of a tiny file, no folder has the right sizes
    formats.3) train my-cat; "$program" concepts export my-cat -o embedding.safetensors >/dev/null; sized ;;
    README.6) sized ;;
    jobs.1)
      ./dti serve
      train my-cat --server http://localhost:5171
      job=$("$program" jobs list --json --server http://localhost:5171 | grep -oE '[0-9a-f]{32}' | head -n 1)
      sed -i "s/JOB_ID/$job/" jobs.1.sh ;;
    compare.1) # one subject, two methods and one prompt of it
      sed -E '/^  (star|crowned|chess|cross|kappa|adamw|ti-|magnitude)/d; /^  - (pixel|an ink|a photo)/d; s/steps [0-9]+/steps 2/; s/^pictures:.*/pictures: 1/; s#\.\./samples#samples#' \
        examples/ablation.yaml >short.yaml ;;
    cluster.1) # the addresses of all machines are of this network
      for address in 10.0.0.{1,2,3,10}; do ip address add "$address/32" dev lo; done
      sed -i "s#/srv/dti#$page/srv#" cluster.1.sh
      database 10.0.0.10 ;;
    training.2)
      sed -i 's/--steps 1000/--steps 140/; s/--from-step 300/--from-step 30/' training.2.sh
      "$program" train my-cat photos/ --initializer cat --batch 1 --snapshot-every 30 --steps 120 --force --json >steps.json 2>&1 &
      for _ in $(seq 1000); do ! grep -qE '"step":(3[3-9]|[4-9][0-9]),' steps.json || break; sleep 0.1; done # step 30 is on disk by then
      kill -KILL $! || { cat steps.json; exit 1; } # a crash; SIGINT is ignored by what a script starts in the background
      wait $! || true ;;
  esac
}

failed=0
for file in "$root"/README.md "$root"/docs/*.md; do
  name=$(basename "$file" .md)
  [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
  case $name in clients | dti-mini) continue ;; esac
  grep -q '^```bash' "$file" || continue
  enter "$name"
  awk -v name="$name" '/^```bash/ { n++; file = name "." n ".sh"; next } /^```/ { file = "" } file != "" { print > file }' "$file"
  [ "$name" = training ] || sed -i -E 's/--steps [58]00/--steps 30/' "$name".*.sh # the model's own are 20
  for block in $(ls "$name".*.sh | sort -t. -k2n); do
    number=${block#"$name".}
    prepare "$name" "${number%.sh}"
    if ! timeout 300 bash -euo pipefail "$block" >"$block.log" 2>&1 </dev/null; then
      echo "$file, block ${number%.sh}, does not work:"
      tail -n 30 "$block.log" | cut -c1-400
      failed=1
    fi
    leave
  done
done
exit $failed
