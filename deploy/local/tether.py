"""A script between the parent and a child process: set a death signal, drop root if required, then exec the command.

    python -I -S tether.py PARENT_PID DEATH_SIGNAL USER COMMAND…

The kernel sends DEATH_SIGNAL to the child when the thread that started it ends, even by SIGKILL (Linux only; elsewhere the
children of a killed parent go on). USER is `-` for the current user, else the user to change to: PostgreSQL refuses to run as
root. That user keeps the capability to bypass file permissions, since the installation may be in a folder that only root can
enter.
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
    """Change to `user` permanently, keeping CAP_DAC_OVERRIDE, also across exec."""
    account = pwd.getpwnam(user)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    capability = 1 << CAP_DAC_OVERRIDE
    effective_permitted_inheritable = (ctypes.c_uint32 * 6)(capability, capability, capability, 0, 0, 0)
    if libc.capset(header, effective_permitted_inheritable) == 0:
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def tie(parent: int, death_signal: int) -> None:
    """Set the death signal. A change of user resets it, so this comes after it."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        signal.raise_signal(signal.SIGKILL)


def main() -> None:
    """Apply the arguments to this process, then replace it by the command."""
    parent, death_signal, user, *command = sys.argv[1:]
    if user != "-":
        become(user)
    tie(int(parent), int(death_signal))
    os.execvp(command[0], command)  # noqa: S606 - becoming the command is this script's purpose


if __name__ == "__main__":
    main()
