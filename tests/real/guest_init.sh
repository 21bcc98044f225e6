#!/bin/busybox sh
# PID 1 of the guest. Kernel parameters:
#   mvtui.mount=TYPE:SOURCE:DIR   mounts it and writes DIR/guest-was-here
#   mvtui.overlay=DIR[:OPTION]    an overlay on /nix/store, upper layer DIR/store
#   mvtui.needs-mounts            what it can't mount ends in emergency mode; it says so in systemd's words
#   mvtui.shouts                  it writes to the console what no terminal should see
# When all is mounted it appends a line to `guest-ready` in each 9p share: `ready`, and the names that the overlay's upper
# layer had. There it then looks for
#   guest-run       a script, which it runs; what that says gets the name `guest-said` when it has ended
#   guest-poweroff  it powers itself off, as Ctrl-Alt-Del does; for QEMU with -no-reboot a reboot is the same
# Neither syncs virtiofs: a share without its daemon would hang that for ever.
/bin/busybox mkdir -p /proc /sys /dev /tmp /nix/store
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
say() { echo "MVTUI-GUEST $*"; }

while read -r module; do
  insmod "/lib/modules/$module" 2>/tmp/error || say "insmod $module: $(cat /tmp/error)"
done </lib/modules/order
echo 0 >/proc/sys/kernel/ctrl-alt-del

disks=
ninep=
failed=
held=
off() {
  echo  # the prompt stands on the last line
  say "$1"
  umount /nix/store 2>/dev/null
  for disk in $disks; do umount "$disk" 2>/dev/null || mount -o remount,ro "$disk"; done
  reboot -f -n
}
trap 'off ctrl-alt-del' INT

put() { # TYPE SOURCE DIR
  mkdir -p "$3"
  options=
  case $1 in
    9p) options='-o trans=virtio,version=9p2000.L,msize=65536' ninep="$ninep $3" ;;
    virtiofs) ;;
    *) options='-o loud' tries=0  # as mount(8) does it: the kernel says why it refuses
      while [ ! -b "$2" ] && [ $tries -lt 50 ]; do usleep 100000; tries=$((tries + 1)); done
      disks="$disks $3" ;;
  esac
  mount -t "$1" $options "$2" "$3" 2>/tmp/error || { say "FAIL mount $*: $(cat /tmp/error)"; failed="$failed $3"; }
  echo "$1" 2>/tmp/error >"$3/guest-was-here" || say "FAIL write $3: $(cat /tmp/error)"
}

for parameter in $(cat /proc/cmdline); do
  value=${parameter#*=}
  case $parameter in
    mvtui.mount=*)
      rest=${value#*:}
      put "${value%%:*}" "${rest%%:*}" "${rest#*:}" ;;
    mvtui.overlay=*)
      dir=${value%%:*}
      option=${value#"$dir"}
      held=$(ls "$dir/store" 2>/dev/null | tr '\n' ' ')
      mkdir -p "$dir/store" "$dir/work"
      mount -t overlay overlay -o "lowerdir=/nix/.ro-store,upperdir=$dir/store,workdir=$dir/work${option:+,${option#:}}" \
        /nix/store 2>/tmp/error || say "FAIL mount /nix/store: $(cat /tmp/error)"
      echo x >/nix/store/from-guest || say "FAIL write /nix/store" ;;
  esac
done
sync
told() { grep -q "mvtui[.]$1" /proc/cmdline; }
bold() { printf '[\033[0;1;%sm%s\033[0m] %s \033[0;1;39m%s\033[0m.\r\n' "$@"; }
if told shouts; then
  printf '\033]0;title\007\033[2J\033[31m[red]not markup[/red]\r\n\377\376 no UTF-8 \355\240\200\r\n'
  head -c 1000000 /dev/zero | tr '\0' x
  printf '\r\n'
fi
if [ -n "$failed" ] && told needs-mounts; then
  for dir in $failed; do bold 31 FAILED 'Failed to mount' "$dir"; done
  bold '38;5;185' DEPEND 'Dependency failed for' 'Local File Systems'
  printf 'You are in emergency mode. After logging in, type "journalctl -xb" to view\r\nsystem logs.\r\n'
else
  bold 32 '  OK  ' 'Reached target' 'Multi-User System'
  say "READY $(cut -d' ' -f1 /proc/uptime)"
  printf '\r\n<<< Welcome to NixOS 26.05 (x86_64) - ttyS0 >>>\r\n\r\nguest login: '
fi
for dir in $ninep; do echo "ready $held" >>"$dir/guest-ready"; done
while :; do
  for dir in $ninep; do
    if [ -e "$dir/guest-run" ]; then
      sh "$dir/guest-run" >"$dir/guest-said.part" 2>&1 || echo "exit $?" >>"$dir/guest-said.part"
      rm "$dir/guest-run"
      mv "$dir/guest-said.part" "$dir/guest-said"
    fi
    if [ -e "$dir/guest-poweroff" ]; then
      rm -f "$dir/guest-poweroff"
      off powered-off
    fi
  done
  sleep 0.3 &
  wait $!
done
