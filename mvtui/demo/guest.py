"""The smallest guest that QEMU boots: it prints its kernel command line on the serial console, sleeps, works a little
now and then, and resets the machine on ctrl-alt-del, which is what `bin/microvm-shutdown` sends.

It is an ELF file with a PVH entry point (Xen's "x86/HVM direct boot ABI"), entered in 32-bit protected mode with
paging off, as QEMU's `-M microvm` starts every uncompressed kernel.
"""

import struct

from mvtui.demo.standins.console import BOOT, BYE, EMERGENCY

_BASE = 0x100000
_MESSAGES = {
    "hello": b"command line: \0",
    "up": f"\n{BOOT}\0".replace("\n", "\r\n").encode(),
    "emergency": f"\n{EMERGENCY}\0".replace("\n", "\r\n").encode(),
    "bye": f"{BYE}\0".replace("\n", "\r\n").encode(),
}
_XEN_ELFNOTE_PHYS32_ENTRY = 18


def kernel(*, emergency: bool = False) -> bytes:
    """The file for `-kernel`; with `emergency` of a guest that does not come up."""
    code = _code(_PROGRAM.replace("@up", "@emergency") if emergency else _PROGRAM)
    note = struct.pack("<3I4sI", 4, 4, _XEN_ELFNOTE_PHYS32_ENTRY, b"Xen\0", _BASE)
    header_size, segment_size = 52, 32
    code_at = header_size + 2 * segment_size
    note_at = code_at + len(code)
    identification = b"\x7fELF\1\1\1"  # 32 bits, little endian
    header = struct.pack(
        "<16s2H5I6H", identification, 2, 3, 1, _BASE, header_size, 0, 0, header_size, segment_size, 2, 0, 0, 0
    )
    load = struct.pack("<8I", 1, code_at, _BASE, _BASE, len(code), len(code), 7, 1)
    notes = struct.pack("<8I", 4, note_at, 0, 0, len(note), len(note), 4, 4)
    return header + load + notes + code + note


def _code(program: str) -> bytes:
    """The machine code and its messages, to be loaded at _BASE. `@name` is replaced by the address of a message."""
    code = b""
    holes: dict[int, str] = {}
    for line in program.splitlines():
        for word in line.partition(";")[0].split():
            if word.startswith("@"):
                holes[len(code)] = word[1:]
                code += bytes(4)
            else:
                code += bytes.fromhex(word)
    for name, text in _MESSAGES.items():
        for at in [at for at, wanted in holes.items() if wanted == name]:
            code = code[:at] + struct.pack("<I", _BASE + len(code)) + code[at + 4 :]
        code += text
    return code


# x86, 32 bits. The offset of each block stands before it.
_PROGRAM = """
; 00 start: ebx is PVH's start information, which has the address of the command line at 24
bc 00000800             ; mov esp, 0x80000
89 dd                   ; mov ebp, ebx
be @hello e8 70000000   ; say(hello)
8b 75 18 e8 68000000    ; say(command line)
be @up e8 5e000000      ; say(up)
; 23 the local APIC's timer wakes it every quarter of a second, by interrupt 0x20
0f 01 1d 99001000       ; lidt [idtr]
bf 0000e0fe             ; mov edi, 0xfee00000
c7 87 f0000000 ff010000 ; spurious interrupt vector: APIC on
c7 87 e0030000 0b000000 ; timer divided by 1
c7 87 20030000 20000200 ; timer periodic, interrupt 0x20
c7 87 80030000 80b2e60e ; every 250,000,000 ns
; 57 idle:
fb f4                   ; sti; hlt
; 59 keys: scan code set 2, as the controller gives it before anybody sets it up
e4 64 a8 01 74 15       ; no byte from the keyboard: jump to work
e4 60 3c 71 75 f4       ; not the Delete key, the last of ctrl-alt-del: jump to keys
be @bye e8 12000000     ; say(bye)
b0 fe e6 64 f4          ; reset by the keyboard controller
; 74 work: up to four million rounds
0f 31 25 ffff3f00       ; rdtsc; and eax, 0x3fffff
89 c1 e2 fe eb d6       ; mov ecx, eax; loop; jump to idle
; 81 say(esi): to the serial port until the byte 0
66 ba f803              ; mov dx, 0x3f8
ac 84 c0 74 03 ee eb f8 ; lodsb; test al, al; jz; out dx, al
c3                      ; ret
; 8e interrupt 0x20
c7 05 b000e0fe 00000000 ; end of interrupt
cf                      ; iret
; 99 idtr: limit, and the address where the gate of interrupt 0 would be
0701 9fff0f00
; 9f gate of interrupt 0x20: 0x08:0x10008e, an interrupt gate
8e00 0800 008e 1000
"""
