"""Small programs that take the place of QEMU, virtiofsd, supervisord and socat where these are not installed.

The package stands by itself and needs the standard library alone: the demo copies it to where every user can read it.
"""
