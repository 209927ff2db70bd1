#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds with gcc and clang, and runs all tests: unit, guest, host and hostile ones, and the
# guest tests again with the sentry under AddressSanitizer and UndefinedBehaviorSanitizer. Ends with a line of totals.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/install_packages.sh
. "$top/scripts/install_packages.sh"
install_packages "${build_packages[@]}" "${test_packages[@]}"

passed=0 failed=0 skipped=0

# Builds in build-NAME with the given meson options, runs the given suites, adds to the totals.
check() {
	local name=$1 suites=$2 build log
	shift 2
	build=$top/build-$name
	log=$build/meson-logs/testlog.json
	[ -f "$build/build.ninja" ] || meson setup "$build" "$top" "$@" >"/tmp/csandbox-setup.$$" 2>&1 || {
		cat "/tmp/csandbox-setup.$$"
		return 1
	}
	rm -f "/tmp/csandbox-setup.$$"
	ninja -C "$build" --quiet
	[ -n "$suites" ] || return 0
	local arguments=() suite
	for suite in $suites; do
		arguments+=(--suite "$suite")
	done
	echo "== $name: $suites"
	meson test -C "$build" --no-rebuild --print-errorlogs --num-processes 2 "${arguments[@]}" >"$build/test.out" 2>&1 || true
	grep -E '(FAIL|TIMEOUT|ERROR)' "$build/test.out" | head -40 || true
	if grep -qE '^(Fail|Timeout|Unexpected Pass): +[1-9]' "$build/test.out"; then
		sed -n '/stdout/,$p' "$build/test.out" | head -200
	fi
	passed=$((passed + $(awk '/^Ok:/ {print $2}' "$build/test.out")))
	failed=$((failed + $(awk '/^(Fail|Timeout|Unexpected Pass):/ {n += $NF} END {print n + 0}' "$build/test.out")))
	skipped=$((skipped + $(awk '/^Skipped:/ {n += $2} END {print n + 0}' "$build/test.out")))
}

check gcc "unit guest host hostile" --buildtype=debugoptimized -Dwerror=true
check asan "unit guest hostile" --buildtype=debugoptimized -Db_sanitize=address,undefined -Dkernel_debug=true
CC=clang check clang "" --buildtype=debugoptimized -Dwerror=true

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
