"""The reset of a writable store overlay: the work on files, done by a child process with the rights of the microVM's
user.

On disk, beside an image `D/x.img`, in `D/.mvtui/overlay/x.img/` (for a share's source `S`: in `S/.mvtui/overlay/`):
`lock` (who works), `making` (rubbish, always), `new.INODE` (complete, and not yet in use while its inode is that one;
with another inode it is the overlay that was set aside, and only its last rename is missing), `TIME[-N].img` or
`TIME[-N].dir` (kept), `freeing.*` (rubbish that is being freed).

What the child imports (child, image, share, effects, mkfs, places, names, freeing, wire) needs neither mvtui's other
rooms nor the slow parts of the standard library: all of it is ready in the time of a few system calls.
"""
