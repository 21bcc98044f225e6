function __mvtui_words
    set -l before
    for word in (commandline -opc)
        if set -q before[1]
            and not contains -- $before --state-dir --definitions --up --down --manager --ascii --mouse --theme --hypervisor --stage --events --source --level --interval --image --lines -n --since --grep --size --user -l --output -o
            and not string match -q -- '-*' $word
            printf '%s\n' $word
        end
        set before $word
    end
end
function __mvtui_verb_is
    set -l words (__mvtui_words) ''
    contains -- $words[1] $argv
end
function __mvtui_wants_name
    set -l words (__mvtui_words)
    test (count $words) -lt 2; or not contains -- $words[1] show diff restore arm grow make-writable share-store ssh bundle adopt
end
function __mvtui_names
    set -l own $HOME/.config
    test -n "$XDG_CONFIG_HOME"; and set own $XDG_CONFIG_HOME
    set -l states /var/lib/microvms (sed -n "s/^[[:space:]]*state_dir[[:space:]]*=[[:space:]]*[\"']\([^\"']*\).*/\1/p" /etc/mvtui/config.toml $own/mvtui/config.toml 2> /dev/null) $MVTUI_STATE_DIR
    set states $states[-1]
    set -l hidden lost+found '*'\t'*' '~*' '-*'
    set -l before
    for word in (commandline -opc)
        if test "$before" = --state-dir
            set states $word
        else if string match -q -- '--state-dir=*' $word
            set states (string replace -- --state-dir= '' $word)
        else if test "$word" = --
            set hidden $hidden[1 2 3]
        end
        set before $word
    end
    set states (string replace -r -- '^~(?=/|$)' $HOME $states)
    for each in $states/*/
        set -l name (string replace -r -- '(?s)^.*/(.+)/$' '$1' $each | string collect)
        if test -d $states/$name; and not test -L $states/$name
            for pattern in $hidden
                string match -q -- $pattern $name; and set -e name; and break
            end
            set -q name; and printf '%s\0' $name
        end
    end
end
complete -c mvtui -f
complete -c mvtui -n "__mvtui_verb_is arm" -l always
complete -c mvtui -n "__mvtui_verb_is ''" -l ascii -x -a 'auto on off'
complete -c mvtui -n "__mvtui_verb_is list" -l closer
complete -c mvtui -n "__mvtui_verb_is list" -l cpu
complete -c mvtui -n "__mvtui_verb_is grow" -l defined
complete -c mvtui -n "__mvtui_verb_is '' list show diff logs check start stop restart kill reset restore arm grow make-writable share-store ssh bundle rebuild adopt config" -l definitions -x -a '(__fish_complete_directories)'
complete -c mvtui -n "__mvtui_verb_is reset" -l discard
complete -c mvtui -n "__mvtui_verb_is demo" -l down -x -a '(__fish_complete_directories)'
complete -c mvtui -n "__mvtui_verb_is reset grow make-writable share-store" -l dry-run
complete -c mvtui -n "__mvtui_verb_is adopt" -l eval
complete -c mvtui -n "__mvtui_verb_is show" -l events -x -a 'all starts failures findings definition images commands'
complete -c mvtui -n "__mvtui_verb_is logs" -l follow
complete -c mvtui -n "__mvtui_verb_is reset" -l free
complete -c mvtui -n "__mvtui_verb_is start" -l fresh
complete -c mvtui -n "__mvtui_verb_is logs" -l grep -x
complete -c mvtui -n "__mvtui_verb_is '' list show diff logs check start stop restart kill reset restore arm grow make-writable share-store ssh bundle rebuild adopt validate config demo completion" -l help
complete -c mvtui -n "__mvtui_verb_is validate" -l hypervisor -x -a 'qemu cloud-hypervisor firecracker crosvm kvmtool stratovirt alioth'
complete -c mvtui -n "__mvtui_verb_is reset" -l if-armed
complete -c mvtui -n "__mvtui_verb_is reset" -l image -x
complete -c mvtui -n "__mvtui_verb_is config" -l init
complete -c mvtui -n "__mvtui_verb_is '' list" -l interval -x
complete -c mvtui -n "__mvtui_verb_is list show diff logs check start stop restart kill reset restore arm grow make-writable share-store bundle rebuild adopt validate config" -l json
complete -c mvtui -n "__mvtui_verb_is logs" -l level -x -a 'emerg alert crit err warning notice info debug'
complete -c mvtui -n "__mvtui_verb_is logs" -l lines -x
complete -c mvtui -n "__mvtui_verb_is '' list show diff logs check start stop restart kill reset restore arm grow make-writable share-store ssh bundle rebuild adopt config" -l manager -x -a 'auto systemd direct'
complete -c mvtui -n "__mvtui_verb_is grow" -l mount
complete -c mvtui -n "__mvtui_verb_is ''" -l mouse -x -a 'auto on off'
complete -c mvtui -n "__mvtui_verb_is '' list show diff logs check start stop restart kill reset restore arm grow make-writable share-store ssh bundle rebuild adopt config" -l no-config
complete -c mvtui -n "__mvtui_verb_is '' list show diff logs check start stop restart kill reset restore arm grow make-writable share-store ssh bundle rebuild adopt config" -l no-read-only
complete -c mvtui -n "__mvtui_verb_is arm" -l off
complete -c mvtui -n "__mvtui_verb_is arm" -l once
complete -c mvtui -n "__mvtui_verb_is bundle" -l output -r -F
complete -c mvtui -n "__mvtui_verb_is arm" -l persistent
complete -c mvtui -n "__mvtui_verb_is ssh adopt config" -l print
complete -c mvtui -n "__mvtui_verb_is '' list show diff logs check start stop restart kill reset restore arm grow make-writable share-store ssh bundle rebuild adopt config" -l read-only
complete -c mvtui -n "__mvtui_verb_is logs" -l since -x
complete -c mvtui -n "__mvtui_verb_is make-writable" -l size -x
complete -c mvtui -n "__mvtui_verb_is logs" -l source -x -a 'guest virtiofsd interfaces install systemd mvtui'
complete -c mvtui -n "__mvtui_verb_is show" -l stage -x -a 'defined built booted'
complete -c mvtui -n "__mvtui_verb_is '' list show diff logs check start stop restart kill reset restore arm grow make-writable share-store ssh bundle rebuild adopt config" -l state-dir -x -a '(__fish_complete_directories)'
complete -c mvtui -n "__mvtui_verb_is reset arm" -l strict
complete -c mvtui -n "__mvtui_verb_is config" -l system
complete -c mvtui -n "__mvtui_verb_is ''" -l theme -x -a 'auto colour-blind contrast dark light terminal terminal-light'
complete -c mvtui -n "__mvtui_verb_is demo" -l up -x -a '(__fish_complete_directories)'
complete -c mvtui -n "__mvtui_verb_is ssh" -l user -x
complete -c mvtui -n "__mvtui_verb_is ''" -l version
complete -c mvtui -n "__mvtui_verb_is list" -l watch
complete -c mvtui -n "__mvtui_verb_is reset grow make-writable share-store rebuild" -l yes
complete -c mvtui -n "__mvtui_verb_is ''" -a list -d 'every microVM with its state and why it is in it'
complete -c mvtui -n "__mvtui_verb_is ''" -a show -d 'one microVM with all that is known of it'
complete -c mvtui -n "__mvtui_verb_is ''" -a diff -d 'where what is defined, built and booted differ, field by field'
complete -c mvtui -n "__mvtui_verb_is ''" -a logs -d 'what microVMs have logged: guest, hypervisor, virtiofsd, units, mvtui, all in one'
complete -c mvtui -n "__mvtui_verb_is ''" -a check -d 'what is wrong, since when, why, and what mends it; of all and the host where no names are given'
complete -c mvtui -n "__mvtui_verb_is ''" -a start -d 'start microVMs and wait until they run'
complete -c mvtui -n "__mvtui_verb_is ''" -a stop -d 'stop microVMs and wait until all of their units have ended'
complete -c mvtui -n "__mvtui_verb_is ''" -a restart -d 'stop and start microVMs'
complete -c mvtui -n "__mvtui_verb_is ''" -a kill -d 'end hung microVMs at once; unwritten data in the guest is lost'
complete -c mvtui -n "__mvtui_verb_is ''" -a reset -d 'set the writable store overlay of stopped microVMs aside and make an empty one'
complete -c mvtui -n "__mvtui_verb_is ''" -a restore -d 'bring the overlay back that was set aside last; once more undoes that'
complete -c mvtui -n "__mvtui_verb_is ''" -a arm -d 'have the overlay of a microVM reset by itself before it starts'
complete -c mvtui -n "__mvtui_verb_is ''" -a grow -d 'make the image of a volume larger, and the file system in it'
complete -c mvtui -n "__mvtui_verb_is ''" -a make-writable -d 'have the store of a microVM writable, by an overlay and its volume in the definition file'
complete -c mvtui -n "__mvtui_verb_is ''" -a share-store -d 'have a microVM share the store of the host instead of a store disk, in the definition file'
complete -c mvtui -n "__mvtui_verb_is ''" -a ssh -d 'log in to the guest of a microVM: over vsock, through a forwarded port, or by its address'
complete -c mvtui -n "__mvtui_verb_is ''" -a bundle -d 'one archive for who helps: states, findings, definitions, units, logs; no credentials, no environment'
complete -c mvtui -n "__mvtui_verb_is ''" -a rebuild -d 'build microVMs anew from what is defined: microvm -u, or nixos-rebuild switch'
complete -c mvtui -n "__mvtui_verb_is ''" -a adopt -d 'write the definition file of a microVM from what is built'
complete -c mvtui -n "__mvtui_verb_is ''" -a validate -d 'what is wrong with definition files, and where'
complete -c mvtui -n "__mvtui_verb_is ''" -a config -d 'what is chosen, and which file, variable or flag says it'
complete -c mvtui -n "__mvtui_verb_is ''" -a demo -d 'a host of sample microVMs with real processes, in a folder of its own'
complete -c mvtui -n "__mvtui_verb_is ''" -a completion -d 'print the completion script of a shell'
complete -c mvtui -n '__mvtui_verb_is completion' -a 'bash zsh fish'
complete -c mvtui -n '__mvtui_verb_is validate' -F
complete -c mvtui -n '__mvtui_verb_is list show diff check logs start stop restart kill reset restore arm grow make-writable share-store rebuild ssh bundle adopt; and __mvtui_wants_name' -a '(__mvtui_names | string split0)'
