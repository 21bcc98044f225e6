#!/bin/sh
# Takes the command line of the Rust virtiofsd as microvm.nix writes it, and becomes QEMU 7.2's C virtiofsd. What that
# can't do is left out: --readonly (its share is writable), uid translation, inode file handles; and --rlimit-nofile,
# which needs CAP_SYS_RESOURCE, which a container may lack.
#
# A shell, since it starts at once: a daemon that takes more than a second to fail counts as running for supervisord.
# For the same reason a source that is missing is found here, by a builtin.
count=$#
while [ "$count" -gt 0 ]; do
  word=$1
  shift
  count=$((count - 1))
  option=${word%%=*}
  case $option in
    --posix-acl) set -- "$@" -o posix_acl; continue ;;
    --xattr) set -- "$@" -o xattr; continue ;;
    --readonly) continue ;;
  esac
  value=${word#*=}
  if [ "$value" = "$word" ]; then
    value=$1
    shift
    count=$((count - 1))
  fi
  case $option in
    --socket-path | --socket-group | --thread-pool-size) set -- "$@" "$option=$value" ;;
    --shared-dir)
      case $value in /*) ;; *) value=$PWD/$value ;; esac
      [ -d "$value" ] || { echo "virtiofsd: $value: No such directory" >&2; exit 1; }
      set -- "$@" -o "source=$value" ;;
    --cache)
      case $value in never) value=none ;; metadata) value=auto ;; esac
      set -- "$@" -o "cache=$value" ;;
    --rlimit-nofile | --inode-file-handles | --translate-uid | --translate-gid | --tag) ;;
    *) echo "virtiofsd: unknown option $word" >&2; exit 2 ;;
  esac
done
exec /usr/lib/qemu/virtiofsd "$@"
