#!/bin/bash
# The speed bench and its profile on a machine with an NVIDIA GPU: adds lines with the device "cuda" to bench/speed.md, side by side with the CPU's.
# Needs the CUDA builds of TorchSharp, which -p:Torch=cuda asks for. Options go to the bench: bench/cuda.sh --case sd15-sample-512
set -euo pipefail
cd "$(dirname "$0")/.."
dotnet build bench/Dti.Bench -c Release -p:Torch=cuda -v q --nologo
run() { dotnet run --project bench/Dti.Bench -c Release --no-build -- speed --device cuda "$@"; }
run "$@"
run --profile "$@"
