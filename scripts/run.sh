#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# scripts/run.sh -- CMD: installs what is missing, builds, and runs CMD in the sandbox.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/install_packages.sh
. "$top/scripts/install_packages.sh"
install_packages "${build_packages[@]}"
build=$top/build
if [ ! -f "$build/build.ninja" ]; then
	meson setup "$build" "$top" >&2
fi
ninja -C "$build" --quiet runsc-c/csandbox >&2
exec "$build/runsc-c/csandbox" run "$@"
