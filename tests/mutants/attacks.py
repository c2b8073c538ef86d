"""Faults that bring back what was once found by attacking the product: tests/findings.md."""

from tests.mutants.mutant import Mutant

VALUES = "tests/gateways/test_values.py::"
TREES = "tests/hostile/test_trees.py::"
SHARES = "tests/webapp/core/test_shares.py::"
DEVICES = "tests/webapp/core/test_devices.py::"
BODIES = "tests/hostile/test_meter_bodies.py::"
HEALTH = "tests/webapp/core/test_health.py::"
ATTACHMENTS = "tests/webapp/chat/test_attachments.py::"
FILES = "tests/agent/test_files.py::"
MOVING = "tests/models/people/test_email_change.py::"

MUTANTS = (
    Mutant(
        "an amount may be written with an exponent",
        "gateways/values.py",
        "    amount = DOLLARS.fullmatch(typed)\n",
        "    amount = DOLLARS.match(typed)\n",
        (f"{VALUES}test_what_is_no_amount_is_refused",),
    ),
    Mutant(
        "a month may be the last of all time",
        "gateways/values.py",
        "FIRST_YEAR, LAST_YEAR = 2000, 2100\n",
        "FIRST_YEAR, LAST_YEAR = 2000, 9999\n",
        (f"{VALUES}test_dates_and_months_are_of_our_time",),
    ),
    Mutant(
        "a file's name is measured in characters",
        "gateways/values.py",
        "most_bytes - len((dot + ending).encode()) if ending else most_bytes)",
        "most_bytes * 4)",
        (f"{VALUES}test_a_files_name_is_cut_by_bytes_and_keeps_its_ending",),
    ),
    Mutant(
        "code is coloured in a language that was never measured",
        "untrusted/inside/highlighting.py",
        '    *("ini", "java", ',
        '    *("ini", "janet", "java", ',
        ("tests/untrusted/test_markdown.py::test_a_language_that_is_not_on_the_list_is_plain",),
    ),
    Mutant(
        "a link that was pending outlives a new password",
        "models/people/email_tokens.py",
        "    _end(db, user_id, EmailToken.purpose.in_(purposes))\n",
        "",
        (f"{MOVING}test_a_thief_who_knew_the_password_is_shut_out_by_a_new_one",),
    ),
    Mutant(
        "a change of address needs no session",
        "models/people/email_tokens.py",
        "        UserSession.id == EmailToken.session_id,\n",
        "",
        (f"{MOVING}test_the_link_needs_the_session_that_asked",),
    ),
    Mutant(
        "two factors of a thief shut out the owner who takes the account back",
        "models/people/email_change.py",
        "since=link.created_at - DISTRUSTED_BEFORE",
        "since=link.created_at",
        (f"{MOVING}test_two_factors_that_a_thief_set_up_first_do_not_shut_the_owner_out",),
    ),
    Mutant(
        "a thief's messenger goes on after a reset",
        "models/people/password_reset.py",
        "        identities.disconnect_outside(db, user.id)\n",
        "        pass\n",
        (
            "tests/models/people/test_password_reset.py::test_a_reset_lets_go_of_messengers_and_calendars_and_a_change_does_not",
        ),
    ),
    Mutant(
        "a Stop waits until a file has been read",
        "untrusted/helper.py",
        "        if self.stop is not None and self.stop.is_set():\n",
        "        if False:\n",
        ("tests/untrusted/test_lane.py::test_a_stop_ends_a_job_at_once",),
    ),
    Mutant(
        "a deep folder stays in the way",
        "agent/cells/host/removal.py",
        "            self._move_up(entry.name, folder)\n            self._left -= 1\n",
        "            self._left -= 1\n",
        (f"{TREES}test_a_tree_is_counted_and_cleared_away",),
    ),
    Mutant(
        "files are kept without end",
        "models/chat/storage_quotas.py",
        "    if more_bytes and _sum_files(db, user_id) + more_bytes > limit:\n",
        "    if more_bytes > limit:\n",
        (f"{SHARES}test_files_beyond_a_users_storage_are_refused_and_not_kept",),
    ),
    Mutant(
        "files wait without end",
        "models/chat/storage_quotas.py",
        "    if more_bytes and _sum(db, PendingUpload, user_id) + more_bytes > limit:\n",
        "    if more_bytes > limit:\n",
        (f"{SHARES}test_files_that_wait_for_a_word_have_a_limit",),
    ),
    Mutant(
        "files of a refused message are kept",
        "actions/sending.py",
        "    except BaseException:\n        _drop(kept)\n        raise\n    announce_queued",
        "    except BaseException:\n        raise\n    announce_queued",
        (f"{ATTACHMENTS}test_files_of_a_refused_message_are_deleted_again",),
    ),
    Mutant(
        "guesses elsewhere lock out the device that was in before",
        "webapp/core/devices.py",
        '    return known.get(str(user_id), "")\n',
        '    return ""\n',
        (f"{DEVICES}test_guesses_do_not_lock_out_a_device_that_was_in_before",),
    ),
    Mutant(
        "a cell asks for an hour of cache that was not held for",
        "agent/meter/shapes/anthropic_messages.py",
        'CACHE = fields({"type": one_of("ephemeral")})',
        'CACHE = fields({"type": one_of("ephemeral"), "ttl": text})',
        (f"{BODIES}test_a_cell_does_not_say_how_long_a_cache_is_kept",),
    ),
    Mutant(
        "a provider fetches what a cell names",
        "agent/meter/shapes/anthropic_messages.py",
        '"source": fields({"type": one_of("base64"), "media_type": image_type, "data": picture}),',
        '"source": anything,',
        (f"{BODIES}test_what_a_provider_would_fetch_run_or_remember_is_refused",),
    ),
    Mutant(
        "a cell sends as much as it likes",
        "agent/meter/intake.py",
        "        if self._held_bytes + more > most_bytes:\n",
        "        if more > most_bytes:\n",
        (f"{BODIES}test_what_a_cell_sends_together_is_bounded",),
    ),
    Mutant(
        "a file of a cell is read whole, whatever was asked for",
        "agent/files.py",
        "    while len(read) < most_bytes:\n"
        "        if not (part := await response.content.read(most_bytes - len(read))):\n",
        "    while True:\n        if not (part := await response.content.read(65536)):\n",
        (f"{FILES}test_of_a_file_no_more_is_read_than_was_asked_for",),
    ),
    Mutant(
        "a cell claims a piece of any size",
        "agent/files.py",
        "    if type(value) is not int or not 0 <= value <= most:\n",
        "    if type(value) is not int:\n",
        (f"{FILES}test_what_is_claimed_is_checked_as_it_comes",),
    ),
    Mutant(
        "where no wall holds cells have none",
        "agent/cells/host/probe.py",
        "    raise NoSandbox(NOTHING_OF[wanted])\n",
        "    return Sandbox(Mode.PROCESS)\n",
        (
            "tests/agent/cells/host/test_probe.py::test_a_worker_without_walls_has_no_cells_and_goes_on",
        ),
    ),
    Mutant(
        "whether all is there is looked up for each who asks",
        "webapp/core/health.py",
        "            if time.monotonic() >= self._looked_at + self._fresh_seconds:\n",
        "            if True:\n",
        (f"{HEALTH}test_two_hundred_at_once_cost_what_one_does",),
    ),
    Mutant(
        "strangers read what is missing",
        "webapp/core/health.py",
        "    told = found if _may_know() else {",
        "    told = found if True else {",
        (f"{HEALTH}test_a_stranger_reads_only_whether_anything_is_missing",),
    ),
    Mutant(
        "a cell's own tokens are saved as its user's file",
        "agent/cells/state.mjs",
        "  if (stat.isFile() && stat.nlink === 1) return file;\n",
        "  if (stat.isFile()) return file;\n",
        (f"{TREES}test_a_tree_is_saved_as_far_as_it_may_be",),
    ),
    Mutant(
        "a form has no rate",
        "webapp/core/security.py",
        "            exempt_when=lambda: request.endpoint in ANY_RATE,\n",
        "            exempt_when=lambda: True,\n",
        (f"{SHARES}test_every_form_has_a_rate_unless_it_is_named",),
    ),
    Mutant(
        "one user has all live streams",
        "webapp/core/shares.py",
        "    _shares.take(key, get_settings().live_streams_per_user)\n",
        "    _shares.take(key, 1_000_000)\n",
        (f"{SHARES}test_a_user_has_so_many_live_streams_and_others_have_theirs",),
    ),
    Mutant(
        "a secret key is one letter",
        "settings/site.py",
        "        if len(letters) < SECRET_KEY_LENGTH or len(set(letters)) < SECRET_KEY_VARIETY:\n",
        "        if not letters:\n",
        ("tests/test_settings.py::test_a_key_that_can_be_guessed_is_refused",),
    ),
    Mutant(
        "a stranger learns that an address has an account",
        "models/people/sign_ups.py",
        "    if _has_owner(db, sign_up.address):\n",
        "    if False:\n",
        (
            "tests/models/people/test_sign_ups.py::test_who_has_an_account_is_told_so_by_mail_and_keeps_it",
        ),
    ),
    Mutant(
        "the stand-in for Stripe writes for everybody to read",
        "embedded/fake_stripe/store.py",
        "    path.parent.chmod(0o700)\n    path.touch(mode=0o600)\n    path.chmod(0o600)\n",
        "",
        ("tests/embedded/test_secrets.py::test_no_file_can_be_read_by_others",),
    ),
    Mutant(
        "anybody on the machine reads the mailbox",
        "embedded/mailbox/site.py",
        'given.encode(errors="replace"), self._token.encode()',
        'b"", b""',
        (
            "tests/embedded/test_mailbox.py::test_nobody_reads_or_changes_anything_without_the_token",
        ),
    ),
    Mutant(
        "a rate that nobody can read is taken",
        "settings/requests.py",
        "        parse_many(words)\n",
        "        words.strip()\n",
        ("tests/test_settings.py::test_a_rate_that_nobody_can_read_is_refused",),
    ),
)
