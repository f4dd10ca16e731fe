"""Let glibc ask for huge pages for its heap, in which onnxruntime keeps the weights as the products read them.

A product of the network reads megabytes of weights. In pages of 4 kB many of the addresses miss the processor's table of pages.
"""

import os
import sys

VARIABLE, HUGE_PAGES = "GLIBC_TUNABLES", "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1"
"""glibc (2.35 and newer) reads it when a process begins, so a running process can't set it for itself. The kernel decides: it has
an effect where `/sys/kernel/mm/transparent_hugepage/enabled` is `madvise`, and none on other systems. One arena for all
threads costs no time, since onnxruntime and Python have allocators of their own; with more the process takes 4 MB more.
"""


def restart_with_huge_pages() -> None:
    """Run this command anew, in the same process, with VARIABLE set; return if it is set already, or if this is not Linux."""
    if sys.platform == "linux" and VARIABLE not in os.environ:
        os.environ[VARIABLE] = HUGE_PAGES
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
