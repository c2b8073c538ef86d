"""Faults in memory: what is another's, is not to be remembered, or is to be forgotten."""

from tests.mutants.mutant import Mutant

NOTES = "tests/models/memory/test_notes.py::"
PAGE = "tests/webapp/memory/test_memory.py::"
EARLIER = "tests/models/memory/test_earlier_words.py::"
NOTING = "tests/tasks/worker/test_noting.py::"
SEARCH = "tests/models/chat/test_search.py::"
DELETION = "tests/webapp/chat/test_message_deletion.py::"
CHANGES = "tests/models/memory/test_changes.py::"
TALKS = "tests/models/chat/test_conversations.py::"
CONTEXT = "tests/models/chat/test_context.py::"
ENTRIES = "tests/models/ledger/test_entries.py::"
FILES = "tests/webapp/files/test_files.py::"
TOOL = "tests/tasks/worker/tools/test_files.py::"
SURGERY = "tests/agent/cells/test_surgery.py::"

MUTANTS = (
    Mutant(
        "anybody reaches anybody's note",
        "models/memory/notes.py",
        "    return select(MemoryNote).where(MemoryNote.user_id == user_id)\n",
        "    return select(MemoryNote).where(MemoryNote.user_id != None)\n",
        (
            f"{PAGE}test_nobody_reaches_anothers_note",
            f"{NOTES}test_a_number_is_of_ones_own_notes_that_are_left",
        ),
    ),
    Mutant(
        "a search finds the notes of others",
        "models/chat/search.py",
        "FROM memory_notes WHERE user_id = :user_id AND deleted_at IS NULL",
        "FROM memory_notes WHERE deleted_at IS NULL",
        (f"{SEARCH}test_nobody_finds_what_is_anothers",),
    ),
    Mutant(
        "anybody deletes anybody's message",
        "models/chat/message_deletion.py",
        "    conversations.find_own(db, user_id, conversation_id)\n"
        "    message = db.scalar(\n"
        "        select(Message).where(\n"
        "            Message.id == message_id,\n"
        "            Message.conversation_id == conversation_id,\n"
        "            Message.user_id == user_id,\n",
        "    message = db.scalar(\n"
        "        select(Message).where(\n"
        "            Message.id == message_id,\n"
        "            Message.conversation_id == conversation_id,\n",
        (f"{DELETION}test_only_ones_own_question_is_deleted",),
    ),
    Mutant(
        "a tool notes what is not to be remembered",
        "models/memory/notes.py",
        "    if not db.scalar(asked):\n        raise NotRemembered\n",
        "    db.scalar(asked)\n",
        (f"{NOTES}test_in_a_conversation_that_is_not_to_be_remembered_nothing_is_noted",),
    ),
    Mutant(
        "what was written in a conversation that is not to be remembered becomes notes",
        "tasks/worker/noting.py",
        "            if is_remembered:\n                _note(db, job, noted)\n",
        "            _note(db, job, noted)\n",
        (f"{NOTING}test_a_conversation_that_is_not_to_be_remembered_leaves_the_file_as_it_was",),
    ),
    Mutant(
        "a turn that still runs notes what was said in a deleted conversation",
        "models/memory/notes.py",
        "        Conversation.id == conversation_id, Conversation.deleted_at.is_(None)\n",
        "        Conversation.id == conversation_id\n",
        (f"{NOTES}test_a_turn_that_still_runs_notes_nothing_in_a_deleted_conversation",),
    ),
    Mutant(
        "what was written in a deleted conversation becomes notes",
        "tasks/worker/noting.py",
        "talk.is_remembered and talk.deleted_at is None\n",
        "talk.is_remembered\n",
        (f"{NOTING}test_a_conversation_that_is_deleted_meanwhile_leaves_the_file_as_it_was",),
    ),
    Mutant(
        "an answer is lost by what cannot be noted",
        "tasks/worker/noting.py",
        "    except Exception:\n",
        "    except AssertionError:\n",
        (f"{NOTING}test_no_answer_is_lost_by_what_cannot_be_noted",),
    ),
    Mutant(
        "a line of MEMORY.md has what PostgreSQL cannot keep",
        "agent/memory.py",
        'UNKEEPABLE.sub("", line)',
        "line",
        (
            "tests/agent/test_memory.py::test_what_no_database_keeps_is_no_part_of_a_line",
            f"{NOTING}test_what_no_note_can_keep_is_left_out",
        ),
    ),
    Mutant(
        "a file is handed over in a deleted conversation",
        "models/chat/answer_files.py",
        "    conversations.find_own(db, job.user_id, job.conversation_id)\n",
        "",
        (f"{TOOL}test_nothing_is_handed_over_in_a_conversation_that_is_deleted_meanwhile",),
    ),
    Mutant(
        "what a provider said of a deleted message is kept",
        "models/ledger/calls.py",
        "None if detail and _is_of_deleted_message(db, call) else detail",
        "detail",
        (f"{ENTRIES}test_what_a_provider_says_of_a_deleted_message_is_not_kept",),
    ),
    Mutant(
        "a conversation is lost by an answer that was begun before it lost a message",
        "models/chat/context.py",
        "                since.started_at > here_now.forgotten_at,\n",
        "                since.finished_at > here_now.forgotten_at,\n",
        (f"{CONTEXT}test_an_answer_that_was_begun_before_the_deletion_tells_nothing",),
    ),
    Mutant(
        "a conversation is lost by a turn that was not saved",
        "models/chat/context.py",
        "                since.finished_at <= last_saved,\n",
        "",
        (f"{CONTEXT}test_what_a_turn_was_told_is_told_anew_until_it_is_saved",),
    ),
    Mutant(
        "a conversation is lost by a turn that failed",
        "models/chat/context.py",
        "                since.status == JobStatus.COMPLETED,\n",
        "",
        (f"{CONTEXT}test_a_turn_that_failed_with_a_part_may_have_lost_what_it_was_told",),
    ),
    Mutant(
        "an old version of a file takes the newest along",
        "models/chat/answer_files.py",
        "for path, file_id in found if file_id > last[path]}",
        "for path, file_id in found if file_id < last[path]}",
        (
            f"{FILES}test_an_old_version_does_not_take_the_newest_along",
            f"{FILES}test_the_newest_version_is_taken_from_the_workspace_though_an_old_one_stays",
            f"{FILES}test_a_newer_version_stays_when_what_the_old_one_answered_is_deleted",
        ),
    ),
    Mutant(
        "a message waits for an answer when nothing of it is left",
        "actions/files.py",
        "    _call_off_if_empty(db, user, upload.message_id)\n",
        "",
        (f"{FILES}test_a_message_that_waits_is_called_off_with_all_that_it_says",),
    ),
    Mutant(
        "what is deleted meanwhile is asked again",
        "actions/answers.py",
        "    ledger.lock_account(db, user.id)\n"
        "    job = jobs.find_own(db, user.id, job_id, lock=True)\n",
        "    job = jobs.find_own(db, user.id, job_id)\n",
        ("tests/actions/test_answers.py::test_what_is_deleted_meanwhile_is_not_asked_again",),
    ),
    Mutant(
        "words that are deleted meanwhile are taken back",
        "models/memory/changes.py",
        "    ledger.lock_account(db, user_id)\n",
        "",
        (f"{CHANGES}test_words_that_are_deleted_meanwhile_do_not_come_back",),
    ),
    Mutant(
        "a conversation is renamed after its deletion",
        "models/chat/conversations.py",
        "(Conversation.id == conversation.id, Conversation.deleted_at.is_(None))\n",
        "(Conversation.id == conversation.id,)\n",
        (f"{TALKS}test_what_is_deleted_meanwhile_gets_no_other_name",),
    ),
    Mutant(
        "others are told of a conversation that is not to be remembered",
        "models/chat/context.py",
        "            or_(Conversation.is_remembered, Job.conversation_id == here),\n",
        "",
        ("tests/models/chat/test_context.py::test_what_is_not_to_be_remembered_is_told_nowhere",),
    ),
    Mutant(
        "a search tells of a conversation that is not to be remembered",
        "models/chat/search.py",
        "           AND (conversations.is_remembered OR conversations.id = CAST(:here AS uuid))\n",
        "           AND CAST(:here AS uuid) IS DISTINCT FROM messages.id\n",
        (f"{SEARCH}test_what_is_not_to_be_remembered_is_found_there_alone",),
    ),
    Mutant(
        "an assistant's words take the place of what its user wrote meanwhile",
        "tasks/worker/noting.py",
        "    return note if note.words == one.before else None\n",
        "    return note\n",
        (f"{NOTING}test_nothing_is_lost_when_the_user_changes_notes_meanwhile",),
    ),
    Mutant(
        "a lost file takes the notes along",
        "agent/memory.py",
        "    removed = lost if len(lost) <= MOST_REMOVED else []\n",
        "    removed = lost\n",
        ("tests/agent/test_memory.py::test_a_file_that_is_lost_takes_no_note_along",),
    ),
    Mutant(
        "saved files keep a note that was erased",
        "models/memory/notes.py",
        "    if gone:\n        erasures.want_notes(db, user_id)\n",
        "",
        (f"{NOTES}test_a_deleted_note_is_erased_when_its_hour_is_over",),
    ),
    Mutant(
        "what was noted of a deleted message stays",
        "models/chat/message_deletion.py",
        "    notes.erase_of_message(db, message.user_id, message.id)\n",
        "",
        (f"{DELETION}test_no_table_and_no_object_has_a_word_of_it",),
    ),
    Mutant(
        "what a note said before stays when its conversation is deleted",
        "models/memory/notes.py",
        "    _forget_before(db, user_id, MemoryChange.conversation_id == conversation_id)\n",
        "",
        (f"{NOTES}test_what_a_note_said_before_goes_with_where_it_was_said",),
    ),
    Mutant(
        "what was handed over with a deleted message's answer stays",
        "models/chat/message_deletion.py",
        "    keys += answer_files.erase(db, AnswerFile.job_id.in_(ids))\n",
        "",
        (f"{DELETION}test_no_table_and_no_object_has_a_word_of_it",),
    ),
    Mutant(
        "what an archive answered to a deleted message stays",
        "models/chat/message_deletion.py",
        " | Message.id.in_(_answers_of_archive(db, message))",
        "",
        (f"{DELETION}test_what_came_with_an_archive_goes_with_its_answer",),
    ),
    Mutant(
        "a deleted message stays the name of its conversation",
        "models/chat/message_deletion.py",
        "        conversation.title = _title_without(db, message)\n",
        "        pass\n",
        (f"{DELETION}test_no_table_and_no_object_has_a_word_of_it",),
    ),
    Mutant(
        "a message is deleted while its answer is being written",
        "models/chat/message_deletion.py",
        "    if any(job.status is JobStatus.RUNNING for job in jobs):\n",
        "    if not jobs:\n",
        (f"{DELETION}test_one_that_waits_is_called_off_and_one_that_runs_is_not_deleted",),
    ),
    Mutant(
        "what a search told elsewhere of a deleted conversation stays",
        "agent/cells/surgery.mjs",
        "!(line.startsWith('- ') && marks.some((mark) => line.endsWith(mark)));\n",
        "true;\n",
        (f"{SURGERY}test_found_lines_of_what_is_forgotten_and_notes_that_are_gone_are_taken_out",),
    ),
    *(
        Mutant(
            "what a user wrote too goes with a conversation",
            "models/memory/notes.py",
            "    note.conversation_id = note.message_id = None\n",
            "",
            (f"{NOTES}test_what_a_user_writes_too_is_theirs_and_stays",),
        ),
        Mutant(
            "what a user wrote goes with what an assistant made of it",
            "models/memory/earlier_words.py",
            "        if before is not None:\n",
            "        if before is None:\n            continue\n        if not before.said.words:\n",
            (f"{EARLIER}test_what_a_user_wrote_comes_back",),
        ),
        Mutant(
            "what was taken back comes back",
            "models/memory/earlier_words.py",
            "    return path[: next(ats, len(path))]\n",
            "    return path[: max([*ats, len(path)])]\n",
            (
                f"{NOTES}test_what_was_taken_back_still_goes_with_where_it_was_said",
                f"{EARLIER}test_what_was_taken_back_does_not_come_back",
            ),
        ),
        Mutant(
            "a deleted note is changed, and can never be restored",
            "models/memory/notes.py",
            "    if note.deleted_at is not None:\n        raise NoteDeleted\n",
            "",
            (f"{NOTES}test_a_deleted_note_is_restored_before_it_is_changed",),
        ),
        Mutant(
            "what a user deletes takes the room of what they restore",
            "models/memory/notes.py",
            "    live, every = func.count().filter(is_live), func.count()\n",
            "    live, every = func.count(), func.count() + func.count().filter(~is_live)\n",
            (f"{NOTES}test_those_that_are_deleted_leave_room_and_are_bounded_apart",),
        ),
        Mutant(
            "deleted notes grow without end",
            "models/memory/notes.py",
            "    if count(db, user_id).deleted >= MOST_NOTES:\n",
            "    if count(db, user_id).deleted > 2 * MOST_NOTES:\n",
            (f"{NOTES}test_those_that_are_deleted_leave_room_and_are_bounded_apart",),
        ),
        Mutant(
            "a note that is restored stands there twice",
            "models/memory/notes.py",
            "            raise NotedAgain\n",
            "            pass\n",
            (f"{NOTES}test_what_was_noted_again_is_not_restored_beside_it",),
        ),
    ),
)
