"""Which system calls a cell and a helper process may make, by name, and the numbers of all.

The numbers are the kernel's own (asm/unistd_64.h and asm-generic/unistd.h), one call a line in
syscalls.txt: its name, its number on x86-64, its number on arm64.
"""

from functools import lru_cache
from pathlib import Path
from typing import Literal

Machine = Literal["x86_64", "aarch64"]

TABLE = Path(__file__).with_name("syscalls.txt")
MISSING = "-"

_READING = """
    read pread64 readv preadv preadv2 lseek open openat stat lstat fstat newfstatat statx access
    faccessat faccessat2 readlink readlinkat getdents getdents64 getcwd statfs fstatfs fadvise64
    close close_range dup dup2 dup3 fcntl write writev
"""
_WRITING = """
    pwrite64 pwritev pwritev2 creat openat2 truncate ftruncate fallocate fsync fdatasync
    sync_file_range sendfile copy_file_range mkdir mkdirat rmdir rename renameat renameat2 link
    linkat unlink unlinkat symlink symlinkat chmod fchmod fchmodat fchmodat2 chown fchown lchown
    fchownat utime utimes futimesat utimensat umask chdir fchdir flock readahead getxattr lgetxattr
    fgetxattr listxattr llistxattr flistxattr inotify_init inotify_init1 inotify_add_watch
    inotify_rm_watch
"""
_MEMORY = "mmap mprotect munmap mremap brk madvise mincore msync mlock mlock2 munlock membarrier"
_THREADS = """
    clone futex set_robust_list get_robust_list set_tid_address gettid rseq sched_yield
    sched_getaffinity sched_getparam sched_getscheduler sched_get_priority_max
    sched_get_priority_min getcpu exit exit_group arch_prctl restart_syscall
"""
_SIGNALS = "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigpending sigaltstack"
_TIME = "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times getrusage"
_WAITING = """
    poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait
    epoll_pwait2
"""
_OWN_IDS = "getpid getppid getuid geteuid getgid getegid getresuid getresgid getgroups getrandom"
# On sockets that are there; opening one is a call of its own.
_TALKING = "sendto recvfrom sendmsg recvmsg shutdown getsockname getpeername getsockopt"

HELPER_CALLS = frozenset(
    f"{_READING} {_MEMORY} {_THREADS} {_SIGNALS} {_TIME} {_WAITING} {_OWN_IDS} {_TALKING}"
    " ioctl prlimit64 getrlimit setrlimit getitimer setitimer sysinfo uname".split()
)
CELL_CALLS = HELPER_CALLS | frozenset(
    f"""
    {_WRITING}
    socket socketpair connect accept accept4 bind listen setsockopt sendmmsg recvmmsg
    fork vfork execve execveat wait4 waitid kill tkill tgkill getpgid getpgrp setpgid getsid setsid
    getpriority setpriority prctl capget sched_setaffinity sched_rr_get_interval
    rt_sigtimedwait signalfd signalfd4 pause alarm timer_create timer_settime
    timer_gettime timer_getoverrun timer_delete timerfd_create timerfd_settime timerfd_gettime
    eventfd eventfd2 pipe pipe2 futex_waitv futex_wait futex_wake futex_requeue pkey_alloc
    pkey_free pkey_mprotect mseal
    """.split()
)
# What opened a door somewhere before, or leads to much code of the kernel's: tried from inside of a
# cell before a worker trusts its walls.
_DANGEROUS = """
    ptrace process_vm_readv process_vm_writev pidfd_open pidfd_getfd pidfd_send_signal
    process_madvise memfd_create memfd_secret shmget shmat msgget semget mq_open io_uring_setup
    io_uring_enter io_uring_register io_setup keyctl add_key request_key bpf userfaultfd
    perf_event_open mount umount2 pivot_root move_mount open_tree fsopen fsmount mount_setattr
    unshare setns chroot setuid setgid setresuid setresgid setgroups capset mknodat
    name_to_handle_at open_by_handle_at clone3 seccomp syslog kexec_load init_module finit_module
    delete_module fanotify_init quotactl lookup_dcookie
"""
REFUSED_CALLS = tuple(_DANGEROUS.split())


@lru_cache(maxsize=2)
def numbers(machine: Machine) -> dict[str, int]:
    """Return the number of every system call that `machine` has, by its name."""
    found: dict[str, int] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        name, x86_64, aarch64 = line.split()
        number = x86_64 if machine == "x86_64" else aarch64
        if number != MISSING:
            found[name] = int(number)
    return found
