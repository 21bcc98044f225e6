#!/bin/bash
# What `microvm -l` does for each microVM, without its Nix evaluation: the same links read by the same number of
# child processes, one `systemctl is-active` among them.
for directory in "$1"/*; do
  name=$(basename "$directory")
  if [ -d "$directory" ] && [ -L "$directory/current" ]; then
    built=$(readlink "$directory/current/share/microvm/system")
    wanted=$(readlink "$directory/toplevel")
    if systemctl is-active -q "microvm@$name"; then state=up; else state=down; fi
    if [ -L "$directory/booted" ]; then
      booted=$(readlink "$directory/booted/share/microvm/system")
      [ "$booted" = "$wanted" ] || state="$state, stale"
    fi
    echo "$name: $state ${built#*-}"
  fi
done
