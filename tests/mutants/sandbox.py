"""Faults that open the walls around cells and helpers."""

from tests.mutants.mutant import Mutant

CELL = "tests/agent/cells/host/test_sandbox.py::"
CALLS = "tests/untrusted/test_seccomp.py::"
WALLS = "tests/untrusted/test_walls.py::"
ATTACKS = "tests/agent/cells/host/test_attacks.py::"
LANE = "tests/untrusted/test_lane.py::"
FILES = "tests/agent/test_files.py::"
PACK = "tests/agent/state/test_pack.py::"
RELAY = "tests/agent/state/test_relay.py::"
LAUNCHED = (
    "tests/untrusted/test_launcher.py::test_a_program_has_one_group_and_no_right_of_who_started_it"
)
BELIEVED = (
    "tests/agent/cells/host/test_probe.py::test_where_bubblewrap_works_its_walls_are_believed"
)
INSIDE = f"{CELL}test_inside_of_a_cell_none_of_it_can_be_reached"

MUTANTS = (
    Mutant(
        "a cell has the machine's network",
        "agent/cells/host/sandbox.py",
        '*("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),',
        '*("--unshare-pid", "--unshare-ipc", "--unshare-uts"),',
        (BELIEVED, INSIDE),
    ),
    Mutant(
        "a cell sees the processes of others",
        "agent/cells/host/sandbox.py",
        '*("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),',
        '*("--unshare-net", "--unshare-ipc", "--unshare-uts"),',
        (BELIEVED, INSIDE),
    ),
    Mutant(
        "a cell outlives its worker",
        "agent/cells/host/sandbox.py",
        '*("--unshare-cgroup-try", "--die-with-parent", "--new-session", "--hostname", "cell"),',
        '*("--unshare-cgroup-try", "--new-session", "--hostname", "cell"),',
        (f"{CELL}test_a_cell_ends_with_its_worker",),
    ),
    Mutant(
        "what is on no list may be called",
        "untrusted/seccomp.py",
        "    return [*steps, _refused(errno.ENOSYS)]\n",
        "    return [*steps, _step(RETURN, ALLOW)]\n",
        (f"{CALLS}test_what_is_on_the_list_is_allowed_and_nothing_else",),
    ),
    Mutant(
        "calls by another architecture's numbers are allowed",
        "untrusted/seccomp.py",
        "        _step(RETURN, KILL),\n",
        "        _step(RETURN, ALLOW),\n",
        (f"{CALLS}test_another_architectures_calls_end_the_process",),
    ),
    Mutant(
        "the second way to call everything is open",
        "untrusted/seccomp.py",
        "steps += [Instruction(IF_AT_LEAST, 0, 1, X32), _refused(errno.ENOSYS)]",
        "steps += [Instruction(IF_AT_LEAST, 0, 1, X32), _step(RETURN, ALLOW)]",
        (
            f"{CALLS}test_what_is_on_the_list_is_allowed_and_nothing_else",
            f"{CALLS}test_another_architectures_calls_end_the_process",
        ),
    ),
    Mutant(
        "a cell makes namespaces of its own",
        "untrusted/seccomp.py",
        "NEW_NAMESPACES = 0x7E020000",
        "NEW_NAMESPACES = 0x6E020000",
        (f"{CALLS}test_nobody_makes_namespaces_and_helpers_only_threads",),
    ),
    Mutant(
        "a helper opens files to write to them",
        "untrusted/seccomp.py",
        'answers["openat"] = [*_no_bit_of(2, OPEN_TO_WRITE, errno.EACCES), allowed]',
        'answers["openat"] = [allowed]',
        (f"{CALLS}test_a_helper_opens_files_to_read_them_only",),
    ),
    Mutant(
        "a cell opens sockets of every family",
        "untrusted/seccomp.py",
        "            *_one_of([_argument(0)], rules.families, errno.EAFNOSUPPORT),\n",
        "",
        (f"{CALLS}test_a_cell_opens_streams_of_its_own_machine_only",),
    ),
    Mutant(
        "a jailed cell has the machine's network",
        "untrusted/seccomp.py",
        "JAILED = replace(CELLS, families=(AF_UNIX,), names_sockets=False)",
        "JAILED = replace(CELLS, names_sockets=False)",
        (f"{CALLS}test_a_jailed_cell_has_no_network_and_names_no_socket",),
    ),
    Mutant(
        "a jailed cell takes names that others call",
        "untrusted/seccomp.py",
        '        answers["bind"] = [_refused(errno.EACCES)]\n',
        "",
        (f"{CALLS}test_a_jailed_cell_has_no_network_and_names_no_socket",),
    ),
    Mutant(
        "a jailed cell lists its neighbours",
        "agent/cells/host/jail.py",
        "chmod(0o711 if name == CELLS else 0o755)",
        "chmod(0o755)",
        (f"{ATTACKS}test_a_jail_holds_without_landlock",),
    ),
    Mutant(
        "a jail that lets everything pass is believed",
        "agent/cells/host/attacks.py",
        "    return OPEN[mode].__contains__\n",
        "    return lambda name: bool(name)\n",
        (f"{ATTACKS}test_a_jail_with_another_cells_filter_is_not_believed",),
    ),
    Mutant(
        "what a jailed cell has written may be run",
        "untrusted/landlock.py",
        "_allow(ruleset, path, every & ~EXECUTE)",
        "_allow(ruleset, path, every)",
        ("tests/untrusted/test_landlock.py::test_it_closes_all_but_what_is_named",),
    ),
    Mutant(
        "a program may have more rights than who starts it",
        "untrusted/launcher.py",
        "    refuse_new_privileges()\n    held",
        "    held",
        (LAUNCHED,),
    ),
    Mutant(
        "a cell keeps the groups of root",
        "untrusted/launcher.py",
        "    os.setgroups([])\n    _prctl(PR_CAP_AMBIENT",
        "    _prctl(PR_CAP_AMBIENT",
        (LAUNCHED,),
    ),
    Mutant(
        "a helper has capabilities",
        "untrusted/inside/confinement.py",
        "        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)\n",
        "        libc.prctl(PR_CAPBSET_DROP + 0 * capability, 0, 0, 0, 0)\n",
        (f"{WALLS}test_a_helper_has_no_rights_no_secrets_and_no_files",),
    ),
    Mutant(
        "a helper without bubblewrap sees our files",
        "untrusted/inside/confinement.py",
        "        os.chroot(NOWHERE)\n",
        '        os.chroot("/")\n',
        (f"{WALLS}test_a_helper_reaches_no_network_and_no_root_of_ours",),
    ),
    Mutant(
        "a helper takes as much memory as there is",
        "untrusted/inside/confinement.py",
        "        resource.RLIMIT_AS: memory_bytes,\n",
        "",
        (f"{WALLS}test_a_helper_has_no_rights_no_secrets_and_no_files",),
    ),
    Mutant(
        "walls with a network are believed",
        "untrusted/walls.py",
        'set(seen.get("networks", ["?"])) - {"lo"}',
        'set(seen.get("networks", ["?"])) - {"lo", "eth0"}',
        (f"{WALLS}test_a_wall_that_does_not_hold_is_not_believed",),
    ),
    Mutant(
        "a saved file leads out of its folder",
        "agent/state/layout.py",
        'not path.is_absolute() and ".." not in path.parts and str(path) == name',
        "not path.is_absolute() and str(path) == name",
        (f"{PACK}test_a_file_out_of_place_is_refused",),
    ),
    Mutant(
        "a pack unpacks without end",
        "agent/state/pack.py",
        "        if expected > MAX_BYTES:\n",
        "        if expected < 0:\n",
        (f"{PACK}test_a_pack_that_unpacks_to_too_much_is_refused",),
    ),
    Mutant(
        "files are restored outside of the cell",
        "agent/cells/state.mjs",
        "if (!full.startsWith(this.#root + path.sep)) throw",
        "if (!full) throw",
        (f"{RELAY}test_nothing_is_restored_outside_of_the_cell",),
    ),
    Mutant(
        "a link in the cell is followed",
        "agent/cells/state.mjs",
        "constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK",
        "constants.O_RDONLY | constants.O_NONBLOCK",
        (f"{RELAY}test_a_link_leads_nowhere",),
    ),
)
