#!/bin/bash
# nested_init.sh RUN: PID 1 of new pid, mount, cgroup, ipc, uts and net namespaces. Makes a root of its own and becomes
# systemd there. RUN/units are its only units; RUN/binds has lines "MODE SOURCE TARGET"; RUN/mount-namespace names the
# caller's.
#
# A service manager with the stock units, or with the machine's /tmp, /run or /dev, would empty or change them
# (systemd-tmpfiles-setup). So /, /tmp, /var/tmp, /run and /dev are private, and it refuses to go on where one is not.
set -euo pipefail
run=$1
refuse() { echo "refusing to start a service manager: $1" >&2; exit 1; }

[ "$$" = 1 ] || refuse "not in a pid namespace of its own"
[ "$(readlink /proc/self/ns/mnt)" != "$(cat "$run/mount-namespace")" ] || refuse "not in a mount namespace of its own"
mount --make-rprivate /

# The root: the machine's own, under a layer of memory that takes every write.
layer=$run/layer
mkdir -p "$layer"
mount -t tmpfs -o mode=0755 tmpfs "$layer"
mkdir "$layer"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$layer/upper,workdir=$layer/work" "$layer/root"
root=$layer/root
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t cgroup2 -o nsdelegate cgroup2 "$root/sys/fs/cgroup" 2>/dev/null || mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=1777 tmpfs "$root/var/tmp"
mkdir -p "$root"/run/{lock,dbus,systemd,log/journal}

mount -t tmpfs -o mode=0755,nosuid tmpfs "$root/dev"
for node in null zero full random urandom tty fuse loop-control loop0 loop1 loop2 loop3; do
  if [ -e "/dev/$node" ]; then cp -a "/dev/$node" "$root/dev/$node"; fi
done
mkdir -p "$root"/dev/{pts,shm,mqueue}
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for number in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${number%:*}" "$root/dev/${number#*:}"; done
: >"$root/dev/console"

while read -r mode source target; do
  mkdir -p "$root$target"
  mount --bind "$source" "$root$target"
  if [ "$mode" = ro ]; then mount -o remount,bind,ro "$root$target"; fi
done <"$run/binds"

units=/etc/systemd/system.test
mkdir -p "$root$units" "$root/etc/systemd"
cp -a "$run/units/." "$root$units/"
# Neither units made of the machine's own fstab, nor its settings.
for dir in {usr/lib,etc}/systemd/{system-generators,system.conf.d,journald.conf.d}; do
  if [ -d "$root/$dir" ]; then mount -t tmpfs -o ro tmpfs "$root/$dir"; fi
done
printf '[Manager]\nShowStatus=no\n' >"$root/etc/systemd/system.conf"
printf '[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\nRuntimeMaxUse=32M\nReadKMsg=no\nAudit=no\n' \
  >"$root/etc/systemd/journald.conf"
getent group kvm >/dev/null || echo 'kvm:x:994:' >>"$root/etc/group"
group=$(getent group kvm || grep ^kvm: "$root/etc/group")
group=$(echo "$group" | cut -d: -f3)
getent passwd microvm >/dev/null || echo "microvm:x:993:$group::/var/empty:/usr/sbin/nologin" >>"$root/etc/passwd"
hostname test-host
ip link set lo up 2>/dev/null || true

for dir in /tmp /var/tmp /run /dev; do
  [ "$(stat -f -c %T "$root$dir")" = tmpfs ] || refuse "$dir is not private"
  [ "$(stat -c %d "$root$dir")" != "$(stat -c %d "$dir")" ] || refuse "$dir is the machine's"
done
[ "$(stat -f -c %T "$root")" = overlayfs ] || refuse "/ is not an overlay"
# Only the machine's real root cgroup has no cgroup.type.
[ -e "$root/sys/fs/cgroup/cgroup.type" ] || refuse "not in a cgroup namespace of its own"

unit_path=/run/systemd/system:/run/systemd/transient:$units
# The machine's own /etc/systemd/system is never read: it counts where a folder of the test's covers it.
if mountpoint -q "$root/etc/systemd/system"; then unit_path=/etc/systemd/system:$unit_path; fi

cd "$root"
mkdir -p .old
pivot_root . .old
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin container=test LANG=C.UTF-8 \
  SYSTEMD_UNIT_PATH=$unit_path \
  /bin/bash -c 'umount -l /.old && rmdir /.old && exec /lib/systemd/systemd --system --unit=test-host.target \
    --log-target=journal --log-level=info --show-status=no </dev/null'
