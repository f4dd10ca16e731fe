"""Runs as a script between us and a child: ties its life to ours, gives up root where it must, then becomes the child.

    python -I -S tether.py PARENT_PID DEATH_SIGNAL USER COMMAND…

The kernel sends DEATH_SIGNAL when the thread that started the child ends, even by SIGKILL (Linux only; elsewhere a killed parent
leaves its children). USER is `-` to stay who we are, else the user to become: PostgreSQL refuses to run as root. That user keeps
one capability, to pass over file permissions, since the installation may lie in a folder that only root may enter.
"""

import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


def become(user: str) -> None:
    """Change to `user` for good, keeping only CAP_DAC_OVERRIDE, across exec too."""
    account = pwd.getpwnam(user)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    kept = 1 << CAP_DAC_OVERRIDE
    effective_permitted_inheritable = (ctypes.c_uint32 * 6)(kept, kept, kept, 0, 0, 0)
    if libc.capset(header, effective_permitted_inheritable) == 0:
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def tie(parent: int, death_signal: int) -> None:
    """Die with `parent`; a change of user undoes this, so it comes after that."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        signal.raise_signal(signal.SIGKILL)


def main() -> None:
    parent, death_signal, user, *command = sys.argv[1:]
    if user != "-":
        become(user)
    tie(int(parent), int(death_signal))
    os.execvp(command[0], command)  # noqa: S606 - becoming the command is this script's purpose


if __name__ == "__main__":
    main()
