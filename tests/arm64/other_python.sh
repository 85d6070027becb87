# shellcheck shell=bash
# Gives an arm64 Debian the Python of a JetPack in place of its own; sourced by userland.sh.
#
#   python_libraries       packages that this Python is linked to, with commas between them
#   python_release VERSION  its full version and the SHA-256 of its source
#   put_python ROOT WORK VERSION SUITE MIRROR
#                          builds it and installs it below ROOT as the package `python3`
#
# The source is that of Ubuntu's package, which is python.org's to the byte. It is compiled twice:
# for this machine, since a cross-compilation runs its own version, and then for arm64 against
# Debian's libraries. It stays in /usr and sees /usr/lib/python3/dist-packages, as Ubuntu's does.

ubuntu=http://archive.ubuntu.com/ubuntu/pool/main/p

python_libraries() { echo libssl3,libffi8,libsqlite3-0,libbz2-1.0,liblzma5,zlib1g; }

python_release() {
    case $1 in
    3.10) echo 3.10.12 afb74bf19130e7a47d10312c8f5e784f24e0527981eab68e20546cfb865830b8 ;;
    3.12) echo 3.12.3 56bfef1fdfc1221ce6720e43a661e3eb41785dd914ce99698d8c7896af4bdaa1 ;;
    *) return 1 ;;
    esac
}

put_python() {
    local root=$1 work=$2/python version=$3 full sum
    read -r full sum < <(python_release "$version")
    mkdir -p "$work"/{source,native,arm64,sysroot}
    step "the source of Python $full"
    python_source "$work" "$version" "$full" "$sum"
    step "Python $full for this machine"
    (cd "$work/native" && quietly configure ../source/configure -q && quietly make make -j"$(nproc)")
    step "Python $full for arm64"
    python_sysroot "$work/sysroot" "$4" "$5"
    python_cross "$work"
    python_package "$root" "$work" "$version" "$full"
    rm -rf "$work"
}

# Runs a step of the build and shows the end of what it printed if it fails.
quietly() { # quietly NAME COMMAND...
    local log=$1.log
    shift
    "$@" >"$log" 2>&1 || { tail -n 20 "$log"; fail "building Python failed ($log)" "--python 3.12"; }
}

python_source() {
    local work=$1 url=$ubuntu/python$2/python$2_$3.orig.tar.xz
    curl --fail --silent --show-error --location -o "$work/source.tar.xz" "$url" ||
        fail "$url cannot be fetched" "again later, or without --python"
    echo "$4  $work/source.tar.xz" | sha256sum --check --quiet ||
        fail "$url is not the source that is expected" "without --python"
    tar -xf "$work/source.tar.xz" -C "$work/source" --strip-components 1
}

# Debian's libraries with their headers, unpacked only: the board's userland needs no headers.
python_sysroot() {
    local sysroot=$1 deb
    debootstrap --arch arm64 --variant minbase --download-only --include \
        libssl-dev,libffi-dev,zlib1g-dev,libbz2-dev,liblzma-dev,libsqlite3-dev \
        "$2" "$sysroot" "$3" >"$sysroot.log" 2>&1 ||
        { tail -n 5 "$sysroot.log"; fail "debootstrap failed" "--mirror URL"; }
    for deb in "$sysroot"/var/cache/apt/archives/*.deb; do
        dpkg-deb -x "$deb" "$sysroot"
    done
}

python_cross() (
    cd "$1/arm64" || exit
    export PATH=$1/native:$PATH
    # What a cross-compilation cannot try out, as it is on Linux.
    quietly configure ../source/configure -q --prefix /usr --without-ensurepip \
        --disable-test-modules --disable-ipv6 --host aarch64-linux-gnu --build x86_64-linux-gnu \
        --with-build-python="$1/native/python" CC="aarch64-linux-gnu-gcc --sysroot=$1/sysroot" \
        ac_cv_file__dev_ptmx=yes ac_cv_file__dev_ptc=no
    quietly make make -j"$(nproc)"
    quietly install make install DESTDIR="$1/tree"
)

python_package() {
    local root=$1 work=$2 version=$3 full=$4 tree=$2/tree
    ln -s "python$version" "$tree/usr/bin/python3.new"
    mv "$tree/usr/bin/python3.new" "$tree/usr/bin/python3"
    echo /usr/lib/python3/dist-packages >"$tree/usr/lib/python$version/site-packages/debian.pth"
    mkdir -p "$tree/usr/lib/python3/dist-packages" "$tree/DEBIAN"
    cat >"$tree/DEBIAN/control" <<CONTROL
Package: python3
Version: $full
Architecture: arm64
Depends: libc6, $(python_libraries | sed 's/,/, /g')
Maintainer: nobody <nobody@localhost>
Description: Python $full as Ubuntu's, for a Debian that has another
CONTROL
    dpkg-deb --root-owner-group -Zgzip -z1 --build "$tree" "$root/python3.deb" >/dev/null
    enter root dpkg -i /python3.deb
    rm "$root/python3.deb"
    enter root python3 -c 'import bz2, ctypes, ensurepip, hashlib, lzma, platform, sqlite3, ssl, zlib
print(platform.python_version(), platform.machine(), ssl.OPENSSL_VERSION)'
}
