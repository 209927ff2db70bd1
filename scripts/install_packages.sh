# SPDX-License-Identifier: Apache-2.0
# Sourced by run.sh and test.sh: installs, or names, the Debian packages that are missing.

build_packages=(gcc g++ meson ninja-build pkg-config python3 libseccomp-dev libjemalloc-dev libbsd-dev libjansson-dev libsystemd-dev libxml2-dev libarchive-dev libtomlplusplus-dev check)
test_packages=(strace gdb gdbserver lldb ltrace valgrind proot fakeroot bubblewrap libc6-dbg
	clang busybox-static git tmux vim-tiny sqlite3 make gcc perl xz-utils nodejs default-jdk-headless rustc python3
	curl iproute2 iputils-ping keyutils netcat-openbsd socat expect nginx-light apache2-utils
	acl attr e2fsprogs libcap2-bin podman conmon catatonit containerd dbus python3-dbus python3-gi python3-grpcio python3-jsonschema chromium debootstrap)

missing_packages() {
	local package
	for package in "$@"; do
		dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || echo "$package"
	done
}

install_packages() {
	local missing
	missing=$(missing_packages "$@")
	[ -z "$missing" ] && return 0
	if [ "$(id -u)" != 0 ]; then
		echo "These packages are missing; install them as root, then run this again:" >&2
		echo "  apt-get install" $missing >&2
		exit 125
	fi
	echo "Installing:" $missing >&2
	apt-get update -q >/dev/null
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing >/dev/null
}
