"""What systemd-ssh-proxy(1) does for `vsock-mux/PATH`: asks the hypervisor's socket for port 22, and hands the
connection on to ssh (ProxyUseFdpass). Takes its place where systemd is older than 257."""

import os
import socket
import sys

destination, port = sys.argv[1:]
path = destination.removeprefix("vsock-mux")
connection = socket.socket(socket.AF_UNIX)
connection.connect(path)
connection.sendall(f"CONNECT {port}\n".encode())
said = b""
while not said.endswith(b"\n"):
    said += connection.recv(1)
if not said.startswith(b"OK "):
    sys.exit(f"the hypervisor says {said!r}")
with socket.socket(fileno=os.dup(1)) as ssh:
    socket.send_fds(ssh, [b"\0"], [connection.fileno()])
