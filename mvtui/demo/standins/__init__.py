"""Small programs that take the place of QEMU, virtiofsd, supervisord and socat where these are not installed.

Each is one file that needs the standard library alone: the demo copies it, so that every user can run it.
"""
