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
	echo "building in $build; the first time takes minutes" >&2
	said=$(meson setup "$build" "$top" 2>&1) || {
		echo "$said" >&2
		exit 125
	}
fi
ninja -C "$build" --quiet command >&2
exec "$build/runsc-c/csandbox" run "$@"
