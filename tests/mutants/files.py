"""Faults in files: another's are seen, a cell's own are read, and there is no end to them."""

from tests.mutants.mutant import Mutant

PAGES = "tests/webapp/files/test_files.py::"
TOOL = "tests/tasks/worker/tools/test_files.py::"
PATHS = "tests/agent/test_workspace_files.py::"
RELAY = "tests/agent/state/test_relay.py::"
SETTINGS = "tests/webapp/accounts/test_archives.py::"
EXPORTS = "tests/models/archives/test_exports.py::"
EXPORTING = "tests/tasks/worker/test_exporting.py::"
IMPORTING = "tests/actions/archives/test_importing.py::"
HOSTILE = f"{IMPORTING}test_of_a_hostile_archive_nothing_is_kept"
ATTACHMENTS = "tests/actions/test_attachments.py::"
WRITING = "tests/actions/archives/test_writing.py::"
ENDING = "tests/actions/archives/test_ending.py::"

MUTANTS = (
    Mutant(
        "an archive keeps a conversation that was deleted",
        "actions/conversations.py",
        "    ending.end(db, user.id, conversation.created_at)\n",
        "",
        (f"{ENDING}test_it_ends_with_whatever_is_deleted",),
    ),
    Mutant(
        "an archive brings more notes than one may have",
        "models/memory/imported_notes.py",
        "    room = notes.MOST_NOTES - kept.live if",
        "    room = notes.MOST_NOTES + kept.live if",
        (f"{IMPORTING}test_more_notes_than_one_may_have_are_left_out",),
    ),
    Mutant(
        "a worker that read what was deleted meanwhile finishes an archive of it",
        "models/archives/exports.py",
        "        Export.leased_until.is_not_distinct_from(claimed.leased_until),\n",
        "",
        (f"{ENDING}test_one_that_is_being_put_together_is_begun_again",),
    ),
    Mutant(
        "anybody finds what anybody was handed",
        "models/chat/answer_files.py",
        "AnswerFile.id == file_id, AnswerFile.user_id == user_id",
        "AnswerFile.id == file_id",
        (f"{PAGES}test_eve_reaches_none_of_adas",),
    ),
    Mutant(
        "anybody sees everybody's list of files",
        "models/chat/files.py",
        "        wanted = select(table).where(table.user_id == user_id)\n",
        "        wanted = select(table)\n",
        (f"{PAGES}test_eve_reaches_none_of_adas",),
    ),
    Mutant(
        "anybody finds what anybody brought",
        "models/archives/imported.py",
        "ImportedFile.id == file_id, ImportedFile.user_id == user_id",
        "ImportedFile.id == file_id",
        (f"{SETTINGS}test_nobody_sees_what_another_brought",),
    ),
    Mutant(
        "anybody downloads anybody's export",
        "models/archives/exports.py",
        "Export.id == export_id, Export.user_id == user_id",
        "Export.id == export_id",
        (
            f"{EXPORTS}test_only_its_owner_finds_it_and_only_when_it_is_ready",
            f"{SETTINGS}test_only_its_owner_downloads_it",
        ),
    ),
    Mutant(
        "an export has everybody's conversations",
        "actions/archives/writing.py",
        "select(Conversation.id).where(Conversation.user_id == user_id)",
        "select(Conversation.id)",
        (f"{EXPORTING}test_all_that_is_ones_own_is_in_it",),
    ),
    Mutant(
        "an export has deleted conversations",
        "actions/archives/writing.py",
        "if conversation is None or conversation.deleted_at is not None:",
        "if conversation is None:",
        (f"{EXPORTING}test_a_deleted_conversation_is_not_in_it",),
    ),
    Mutant(
        "a browser may show what was handed over",
        "webapp/files/downloads.py",
        "as_attachment=True",
        "as_attachment=False",
        (f"{PAGES}test_a_download_is_kept_and_never_shown",),
    ),
    Mutant(
        "a path may lead out of the workspace",
        "agent/workspace_files.py",
        ' and may_be_kept(f"{WORKSPACE}/{path}")',
        "",
        (f"{PATHS}test_whatever_leads_out_is_no_path",),
    ),
    Mutant(
        "a folder of the workspace may lead out of it",
        "agent/cells/relay.mjs",
        "most > 0 && isReached(name) ? openPlain(name)",
        "most > 0 ? openPlain(name)",
        (f"{RELAY}test_one_file_is_read_only_where_it_stands",),
    ),
    Mutant(
        "what is deleted may lie outside of the workspace",
        "agent/cells/surgery.mjs",
        "if (full.startsWith(workspace) && isFile(full))",
        "if (isFile(full))",
        (f"{RELAY}test_deleted_files_are_taken_out_and_nothing_beside_them",),
    ),
    Mutant(
        "what was handed over takes no room",
        "models/chat/storage_quotas.py",
        "(Upload, AnswerFile, ImportedFile)",
        "(Upload, ImportedFile)",
        (f"{TOOL}test_what_there_is_no_room_for_is_refused",),
    ),
    Mutant(
        "an archive takes no room",
        "actions/archives/importing.py",
        "    storage_quotas.refuse_if_full(db, user.id, more)\n",
        "    storage_quotas.refuse_if_full(db, user.id, min(more, 0))\n",
        (f"{IMPORTING}test_bounds_of_the_account_hold",),
    ),
    Mutant(
        "a deleted file stays with the assistant",
        "actions/files.py",
        "        erasures.want(db, user.id, None, paths)\n",
        "        pass\n",
        (f"{PAGES}test_what_is_deleted_is_gone_everywhere",),
    ),
    Mutant(
        "an archive's links are followed",
        "untrusted/inside/archives.py",
        "kind not in (0, stat.S_IFREG) or not",
        "not",
        (HOSTILE,),
    ),
    Mutant(
        "an archive's names may lead out",
        "untrusted/inside/archives.py",
        '("", ".", "..")',
        '("",)',
        ("tests/untrusted/test_archives.py::test_odd_names_are_refused_where_they_are_read",),
    ),
    Mutant(
        "an archive may be a bomb",
        "untrusted/inside/archives.py",
        "    if is_blown_up:\n",
        "    if is_blown_up and False:\n",
        (HOSTILE,),
    ),
    Mutant(
        "an archive may give the assistant orders",
        "actions/archives/importing.py",
        "    return is_hidden or is_order or parts[0].lower() in ORDER_FOLDERS\n",
        "    return is_hidden or parts[0].lower() in ORDER_FOLDERS\n",
        (f"{IMPORTING}test_orders_are_set_aside",),
    ),
    Mutant(
        "what was brought is written over what is there",
        "agent/imported_files.py",
        "    if await files.get(full, 1) is not None:\n        return False\n",
        "",
        ("tests/agent/test_imported_files.py::test_nothing_is_written_over",),
    ),
    Mutant(
        "nobody says what to do with a workbook",
        "untrusted/uploads.py",
        "    if OFFICE.match(data):\n",
        "    if not data:\n",
        ("tests/agent/test_long_files.py::test_what_cannot_be_read_is_refused_in_a_sentence",),
    ),
    Mutant(
        "a file that could not go when it was deleted stays for good",
        "actions/attachments.py",
        "            file_deletions.note(db, left, utc_now())\n",
        "            file_deletions.note(db, [], utc_now())\n",
        (f"{ATTACHMENTS}test_what_cannot_go_from_storage_goes_once_it_can",),
    ),
    Mutant(
        "whoever ends once a user has deleted files leaves them for good",
        "actions/attachments.py",
        "        file_deletions.note(db, keys, utc_now())\n",
        "        file_deletions.note(db, [], utc_now())\n",
        (f"{ATTACHMENTS}test_a_conversation_is_deleted_though_its_files_cannot_go_yet",),
    ),
    Mutant(
        "a sweep that waited for storage forgets what was deleted meanwhile",
        "actions/attachments.py",
        "        file_deletions.settle(db, gone)\n",
        "        file_deletions.settle(db, [*gone, *owned])\n",
        (f"{ATTACHMENTS}test_what_its_user_deletes_during_a_sweep_goes_too",),
    ),
    Mutant(
        "nobody waits for a sweep that has seen an owner",
        "models/chat/file_deletions.py",
        "    return db.scalars(first.with_for_update(skip_locked=True)).all()\n",
        "    return db.scalars(first).all()\n",
        (f"{ATTACHMENTS}test_what_its_user_deletes_waits_for_a_sweep_that_sees_its_owner",),
    ),
    Mutant(
        "an archive is taken in though files of it are gone",
        "models/chat/file_deletions.py",
        "is_any_of(FileDeletion.storage_key, keys), is_safe)",
        "is_any_of(FileDeletion.storage_key, keys))",
        (f"{IMPORTING}test_what_took_so_long_that_a_sweep_may_have_it_is_refused",),
    ),
    Mutant(
        "what is somebody's after all is dropped",
        "actions/attachments.py",
        "        owned = file_deletions.owned(db, waiting)\n",
        "        owned = set[str]() if keys else file_deletions.owned(db, waiting)\n",
        (f"{ATTACHMENTS}test_what_is_somebodys_after_all_is_not_dropped",),
    ),
    Mutant(
        "a file that came to be nobody's stays for good",
        "actions/attachments.py",
        "        file_deletions.note(db, [*keys], utc_now() + SETTLED_AFTER)\n",
        "        file_deletions.note(db, [], utc_now() + SETTLED_AFTER)\n",
        (f"{ATTACHMENTS}test_what_comes_to_be_nobodys_goes_after_an_hour",),
    ),
    Mutant(
        "a file goes after an hour though it is somebody's",
        "models/chat/file_deletions.py",
        "    return {key for key in keys if of_file[key] in found}\n",
        "    return set()\n",
        (f"{ATTACHMENTS}test_what_comes_to_be_nobodys_goes_after_an_hour",),
    ),
    Mutant(
        "a deletion that is done fails, as what follows it finds no database",
        "actions/archives/ending.py",
        "        except (DBAPIError, NoConnection) as error:\n",
        "        except ZeroDivisionError as error:\n",
        (f"{ENDING}test_a_deletion_is_done_though_the_database_is_away_after_it",),
    ),
    Mutant(
        "an export that kills its worker kills one after another",
        "models/archives/exports.py",
        ".where(_is_free(), Export.attempts < MOST_ATTEMPTS)",
        ".where(_is_free())",
        (f"{EXPORTS}test_one_with_which_each_worker_dies_is_given_up",),
    ),
    Mutant(
        "deletions use up the attempts at an export",
        "models/archives/exports.py",
        "    export.attempts -= is_cut_short\n",
        "",
        (f"{ENDING}test_what_deletions_cut_short_was_no_attempt",),
    ),
    Mutant(
        "an archive is refused for what nobody reads of it",
        "untrusted/inside/archives.py",
        "    for _, entry in wanted:\n        _check(entry)\n",
        "    for entry in files:\n        _check(entry)\n",
        ("tests/untrusted/test_archives.py::test_what_is_not_wanted_may_be_called_anything",),
    ),
    Mutant(
        "an export has names that no import takes",
        "actions/archives/writing.py",
        "self.zip.writestr(self.names.take(name), data",
        "self.zip.writestr(name, data",
        (f"{WRITING}test_names_of_the_workspace_are_made_ones_that_are_taken",),
    ),
    Mutant(
        "an export has what an import takes for a bomb",
        "actions/archives/writing.py",
        "    return zipfile.ZIP_STORED if is_like_a_bomb else zipfile.ZIP_DEFLATED\n",
        "    return zipfile.ZIP_DEFLATED if is_like_a_bomb else zipfile.ZIP_DEFLATED\n",
        (f"{WRITING}test_what_repeats_itself_is_no_bomb",),
    ),
    Mutant(
        "an archive that is brought twice doubles all conversations",
        "actions/archives/importing.py",
        "strict=True) if not is_known]",
        "strict=True) if is_known is not None]",
        (f"{IMPORTING}test_a_second_time_no_conversation_comes",),
    ),
    Mutant(
        "what another user has said is not taken",
        "models/archives/known.py",
        ".where(Message.user_id == user_id, second.in_(wanted))",
        ".where(second.in_(wanted))",
        (f"{IMPORTING}test_a_second_time_no_conversation_comes",),
    ),
    Mutant(
        "files that are there already need room once more",
        "actions/archives/importing.py",
        "for one in kept if one.path not in before)",
        "for one in kept if before is not None)",
        (f"{IMPORTING}test_what_was_brought_before_needs_no_room",),
    ),
)
