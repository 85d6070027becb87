# shellcheck shell=bash
# Makes an Orin Nano with JetPack 6.2 of an arm64 userland; sourced by userland.sh.
#
#   make_board ROOT CHECKOUT     files, programs and packages that only a board has, and its user
#   mount_board ROOT             /proc as on the board; the caller is in a mount namespace
#   board_processors ROOT        says below /sys how many there are
#
# /sys is an empty folder that is filled here. The kernel's own would be the PC's, and ONNX Runtime
# ends with a fault where processors below /sys and instruction set do not go together.

put() { # put FILE: standard input becomes that file
    mkdir -p "$(dirname "$1")"
    cat >"$1"
}

make_board() {
    local root=$1 checkout=$2
    board_files "$root"
    board_processors "$root"
    board_programs "$root" "$checkout"
    board_packages "$root" "$checkout/tests/arm64/stand_in"
    board_user "$root"
}

board_files() {
    local root=$1 gpu=$1/sys/class/devfreq/17000000.gpu hwmon zone number=0
    echo '# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64' |
        put "$root/etc/nv_tegra_release"
    put "$root/etc/nvpmodel.conf" <<'END'
< POWER_MODEL ID=0 NAME=15W >
GPU MAX_FREQ 612000000
< POWER_MODEL ID=1 NAME=25W >
GPU MAX_FREQ 918000000
< POWER_MODEL ID=2 NAME=MAXN_SUPER >
GPU MAX_FREQ -1
< PM_CONFIG DEFAULT=1 >
END
    printf 'pmode:0001 fmode:quiet' | put "$root/var/lib/nvpmodel/status"
    echo 306000000 | put "$gpu/cur_freq"
    echo 918000000 | put "$gpu/max_freq"
    hwmon=$root/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1
    echo ina3221 | put "$hwmon/name"
    for rail in VDD_IN:5072:944 VDD_CPU_GPU_CV:5064:176 VDD_SOC:5064:296; do
        number=$((number + 1))
        IFS=: read -r name mv ma <<<"$rail"
        echo "$name" | put "$hwmon/in${number}_label"
        echo "$mv" | put "$hwmon/in${number}_input"
        echo "$ma" | put "$hwmon/curr${number}_input"
    done
    for zone in 0:cpu-thermal:48906 1:gpu-thermal:49593 2:tj-thermal:49593; do
        IFS=: read -r number name mc <<<"$zone"
        echo "$name" | put "$root/sys/class/thermal/thermal_zone$number/type"
        echo "$mc" | put "$root/sys/class/thermal/thermal_zone$number/temp"
    done
}

# As many as this machine has: ONNX Runtime binds a thread to each.
board_processors() {
    local range=0-$(($(nproc) - 1)) name
    for name in possible present; do
        echo "$range" | put "$1/sys/devices/system/cpu/$name"
    done
}

board_programs() {
    local root=$1 checkout=$2 home=$1/opt/stand_in name
    mkdir -p "$home" "$root/var/lib/stand_in"
    cp "$checkout"/tests/jetson/stand_in/* "$checkout/tests/power/stand_in/tegrastats" "$home"
    cp "$checkout/tests/power/data/logs/orin_nano_25w_load.txt" "$home"
    echo 1 >"$root/var/lib/stand_in/mode"
    touch "$root/var/lib/stand_in/calls"
    for name in nvpmodel jetson_clocks; do
        put "$root/usr/sbin/$name" <<END
#!/bin/sh
# As on a board, only root may.
[ "\$(id -u)" = 0 ] || { echo "$name: run as root" >&2; exit 1; }
STATE=/var/lib/stand_in REFUSED="" /opt/stand_in/$name "\$@" || exit
[ "$name \$1" = "nvpmodel -m" ] || exit 0
printf 'pmode:%04d fmode:quiet' "\$2" >/var/lib/nvpmodel/status
case \$2 in 0) hz=612000000 ;; 1) hz=918000000 ;; *) hz=1020000000 ;; esac
echo \$hz >/sys/class/devfreq/17000000.gpu/max_freq
END
    done
    put "$root/usr/bin/tegrastats" <<'END'
#!/bin/sh
STAND_IN_LOG=/opt/stand_in/orin_nano_25w_load.txt exec /opt/stand_in/tegrastats "$@"
END
    # The board's image has a compiler; here it is a name, since nothing is compiled.
    printf '#!/bin/sh\nexit 1\n' | put "$root/usr/bin/g++"
    chmod 755 "$root/usr/bin/g++" "$root"/usr/sbin/{nvpmodel,jetson_clocks} "$root/usr/bin/tegrastats"
    aarch64-linux-gnu-gcc -shared -fPIC -nostdlib -Wall -Werror -Wl,-soname,libcuda.so.1 \
        -o "$root/usr/lib/aarch64-linux-gnu/libcuda.so.1" "$checkout/tests/arm64/stand_in/libcuda.c"
}

# A repository like NVIDIA's, from which jetson/setup.sh installs by apt. pycuda comes with it, so
# that pip takes it as installed: on a board it is compiled, which takes a real CUDA.
board_packages() {
    local root=$1 stand_in=$2 tree=$1/opt/trees python=usr/lib/python3/dist-packages
    mkdir -p "$root/opt/jetpack"
    put "$tree/python3-libnvinfer/$python/tensorrt.py" <"$stand_in/tensorrt.py"
    mkdir -p "$tree/python3-pycuda/$python"
    cp -r "$stand_in/pycuda" "$tree/python3-pycuda/$python"
    printf 'Metadata-Version: 2.1\nName: pycuda\nVersion: 2025.1\n' |
        put "$tree/python3-pycuda/$python/pycuda-2025.1.dist-info/METADATA"
    printf '#!/bin/sh\necho "Cuda compilation tools, release 12.6, V12.6.68"\n' |
        put "$tree/nvidia-jetpack/usr/local/cuda/bin/nvcc"
    chmod 755 "$tree/nvidia-jetpack/usr/local/cuda/bin/nvcc"
    echo '{"cuda": {"name": "CUDA SDK", "version": "12.6.11"}}' |
        put "$tree/nvidia-jetpack/usr/local/cuda/version.json"
    board_package "$root" python3-libnvinfer 10.3.0.30-1+cuda12.5 python3
    board_package "$root" python3-pycuda 2025.1 python3
    board_package "$root" nvidia-jetpack 6.2+b77 python3-pycuda
    # On a board the vendor's libGLX takes the place of Mesa's, and of the compiler that Mesa needs.
    mkdir -p "$tree/libglx-mesa0"
    board_package "$root" libglx-mesa0 99 libc6
    rm -rf "$tree"
    echo 'Acquire::Languages "none";' | put "$root/etc/apt/apt.conf.d/99languages"
    echo 'deb [trusted=yes] file:/opt/jetpack ./' | put "$root/etc/apt/sources.list.d/jetpack.list"
}

board_package() { # board_package ROOT NAME VERSION DEPENDS
    local root=$1 name=$2 file=$2_arm64.deb control
    control="Package: $name
Version: $3
Architecture: arm64
Depends: $4
Maintainer: nobody <nobody@localhost>
Description: stand-in for the package of JetPack"
    echo "$control" | put "$root/opt/trees/$name/DEBIAN/control"
    dpkg-deb --root-owner-group --build "$root/opt/trees/$name" "$root/opt/jetpack/$file" >/dev/null
    {
        echo "$control"
        echo "Filename: ./$file"
        echo "Size: $(stat -c %s "$root/opt/jetpack/$file")"
        echo "SHA256: $(sha256sum "$root/opt/jetpack/$file" | cut -d ' ' -f 1)"
        echo
    } >>"$root/opt/jetpack/Packages"
}

board_user() {
    local root=$1
    chroot "$root" useradd --create-home --shell /bin/bash jetson
    echo 'jetson ALL=(ALL) NOPASSWD: ALL' | put "$root/etc/sudoers.d/jetson"
    chmod 440 "$root/etc/sudoers.d/jetson"
    echo tegra-ubuntu | put "$root/etc/hostname"
    echo "127.0.0.1 localhost tegra-ubuntu $(hostname)" | put "$root/etc/hosts"
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    # This machine may know more authorities than Debian, whose package writes its own file anew.
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/opt/certificates.crt"
}

# The kernel's /proc with what the board's has besides: names that are not numbers are links to it.
mount_board() {
    local root=$1 entry
    mkdir -p "$root/.proc" "$root/proc"
    mount -t devpts devpts "$root/dev/pts"
    mount -t proc proc "$root/.proc"
    mount -t tmpfs tmpfs "$root/proc"
    for entry in "$root"/.proc/[!0-9]*; do
        ln -s "/.proc/${entry##*/}" "$root/proc/"
    done
    rm "$root"/proc/{cpuinfo,meminfo}
    printf 'NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super\0' |
        put "$root/proc/device-tree/model"
    printf 'nvidia,p3768-0000+p3767-0005-super\0nvidia,p3767-0005\0nvidia,tegra234\0' |
        put "$root/proc/device-tree/compatible"
    sed 's/^MemTotal:.*/MemTotal:        7802880 kB/' /proc/meminfo | put "$root/proc/meminfo"
    put "$root/proc/cpuinfo" < <(for core in $(seq 0 $(($(nproc) - 1))); do
        printf 'processor\t: %s\nmodel name\t: ARMv8 Processor rev 1 (v8l)\n' "$core"
        printf 'BogoMIPS\t: 62.50\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics'
        printf ' fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp\n'
        printf 'CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\n'
        printf 'CPU part\t: 0xd42\nCPU revision\t: 1\n\n'
    done)
}
