"""Faults in memory: what is another's, is not to be remembered, or is to be forgotten."""

from tests.mutants.mutant import Mutant

NOTES = "tests/models/memory/test_notes.py::"
PAGE = "tests/webapp/memory/test_memory.py::"
NOTING = "tests/tasks/worker/test_noting.py::"
SEARCH = "tests/models/chat/test_search.py::"
DELETION = "tests/webapp/chat/test_message_deletion.py::"
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
)
