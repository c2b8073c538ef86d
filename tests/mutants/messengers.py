"""Faults by which a messenger's message is lost, doubled, out of order, or somebody else's."""

from tests.mutants.mutant import Mutant

RECEIVING = "tests/actions/channels/test_receiving.py::"
EDITS = "tests/actions/channels/test_edits.py::"
COMMANDS = "tests/actions/channels/test_commands.py::"
LINKING = "tests/actions/channels/test_linking.py::"
UPDATES = "tests/models/channels/test_updates.py::"
OUTBOX = "tests/models/channels/test_deliveries.py::"
DELIVERING = "tests/tasks/messaging/test_delivering.py::"
FETCHING = "tests/tasks/messaging/test_receiving.py::"
WORKING = "tests/tasks/messaging/test_process.py::"
POLLING = "tests/telegram_bot/test_polling.py::"
WEBHOOK = "tests/webapp/channels/test_webhooks.py::"
PAGES = "tests/webapp/channels/test_linking.py::"

MUTANTS = (
    Mutant(
        "a missing update is not waited for when nothing came in between",
        "models/channels/gaps.py",
        "- count(come.number) AS count",
        "- count(*) AS count",
        (f"{UPDATES}test_a_number_that_is_missing_is_seen",),
    ),
    Mutant(
        "each piece of a text that an app has cut up is answered alone",
        "models/channels/groups.py",
        "    parts = list(waiting[:1])\n",
        "    return list(waiting[:1])\n    parts = []\n",
        (f"{FETCHING}test_a_text_that_its_app_has_cut_up_is_one_message",),
    ),
    Mutant(
        "nobody waits for the next piece of a text",
        "actions/channels/receiving.py",
        "    if needs_files or row.group_id or not updates.is_first(db, row):\n",
        "    if needs_files or not updates.is_first(db, row):\n",
        (f"{FETCHING}test_a_long_text_that_nothing_follows_is_a_message",),
    ),
    Mutant(
        "what is written after a long text is taken for a piece of it",
        "models/channels/groups.py",
        " and 0 <= went_on - began <= AT_ONCE\n",
        "\n",
        (f"{FETCHING}test_what_is_written_after_a_long_text_is_another_message",),
    ),
    Mutant(
        "a part that comes too late is closed with those that are sent",
        "tasks/messaging/receiving.py",
        " if one.id in parts]\n",
        "]\n",
        (f"{FETCHING}test_a_part_that_comes_too_late_is_not_lost",),
    ),
    Mutant(
        "an edit of one piece replaces the whole text",
        "models/channels/groups.py",
        "    return (count or 0) > 1\n",
        "    return False\n",
        (f"{FETCHING}test_a_text_that_its_app_has_cut_up_is_one_message",),
    ),
    Mutant(
        "an edit of the caption of an album's part replaces all captions",
        "models/channels/groups.py",
        "    if len(spoken) == 1 and not is_whole:\n",
        "    if not is_whole:\n",
        (f"{EDITS}test_of_an_album_with_two_captions_none_is_lost",),
    ),
    Mutant(
        "an edited reply loses what it quotes",
        "actions/channels/messages.py",
        "    groups.note_place(group, wording.place_of(arrived, heard))\n",
        "",
        (
            f"{EDITS}test_a_reply_keeps_what_it_quotes_however_often_it_is_edited",
            f"{EDITS}test_a_voice_message_keeps_what_was_heard",
        ),
    ),
    Mutant(
        "a reply that is asked about loses what it quotes when it is edited",
        "models/channels/updates.py",
        "    first.details = {**_marks(first), **details, ",
        "    first.details = {**details, ",
        (f"{EDITS}test_a_reply_that_is_asked_about_keeps_what_it_quotes",),
    ),
    Mutant(
        "an edit of what the account before has written is answered with a page that is missing",
        "actions/channels/edits.py",
        "    except NotFound:\n",
        "    except ZeroDivisionError:\n",
        (f"{EDITS}test_a_message_of_the_account_before_is_nobodys_to_edit",),
    ),
    Mutant(
        "what was refused and is edited is lost",
        "actions/channels/edits.py",
        "CAME_TO_NOTHING = {UpdateStatus.REFUSED, UpdateStatus.FAILED}\n",
        "CAME_TO_NOTHING = set[UpdateStatus]()\n",
        (f"{EDITS}test_what_was_refused_is_another_message_once_it_is_edited",),
    ),
    Mutant(
        "what a user was asked about outlives their messenger",
        "models/channels/accounts.py",
        "    updates.forget_asked(db, account.channel, account.account_id)\n",
        "",
        (f"{LINKING}test_what_was_asked_is_agreed_to_by_nobody_else_and_forgotten",),
    ),
    Mutant(
        "whoever is linked next agrees to what was asked before",
        "models/channels/accounts.py",
        "    updates.forget_asked(db, channel, account_id)\n",
        "",
        (f"{LINKING}test_what_was_asked_is_agreed_to_by_nobody_else_and_forgotten",),
    ),
    Mutant(
        "of an album that is agreed to one part alone is closed",
        "models/channels/updates.py",
        "    return (first, *db.scalars(wanted.order_by(ChannelUpdate.place)))\n",
        "    return (first,)\n",
        (f"{COMMANDS}TestAskedFirst::test_of_an_album_every_part_is_over_then",),
    ),
    Mutant(
        "an answer that waited a day for credits is given up at its first failure",
        "models/channels/delivery_claims.py",
        "    return max([kept.created_at, *(",
        "    return min([kept.created_at, *(",
        (f"{OUTBOX}test_what_waited_for_its_answer_is_given_up_a_day_after_that",),
    ),
    Mutant(
        "what is given up is kept in words",
        "models/channels/delivery_claims.py",
        "        kept.content = _without_words(claimed)\n",
        "",
        (f"{OUTBOX}test_what_is_put_off_waits_longer_each_time_and_is_given_up_after_a_day",),
    ),
    Mutant(
        "a message is lost with the conversation that is deleted while its files are stored",
        "actions/channels/messages.py",
        "        if incoming.conversation_id is None:\n",
        "        if True:\n",
        (f"{FETCHING}test_a_conversation_that_is_deleted_while_files_are_stored_costs_no_message",),
    ),
    Mutant(
        "words behind /new are lost",
        "actions/channels/commands.py",
        "    has_words = bool(argument.strip())\n",
        "    has_words = False\n",
        (f"{COMMANDS}test_words_behind_new_begin_the_conversation",),
    ),
    Mutant(
        "words behind /new that are asked about are closed",
        "actions/channels/receiving.py",
        "    return UpdateStatus.DONE if is_open else chat.update.status\n",
        "    return UpdateStatus.DONE\n",
        (f"{COMMANDS}test_words_behind_new_are_asked_about_like_any",),
    ),
    Mutant(
        "links that a stranger was shown outlive the one that was used",
        "actions/channels/linking.py",
        "    links.end_offered(db, channel, account.account_id)\n",
        "",
        (f"{LINKING}test_so_many_links_of_a_stranger_work_and_none_once_one_was_used",),
    ),
    Mutant(
        "whoever lets others go on waits for whoever is at work",
        "models/channels/gaps.py",
        "        .with_for_update(skip_locked=True)\n",
        "        .with_for_update()\n",
        (f"{UPDATES}test_nobody_who_hastens_waits_for_whoever_is_at_work",),
    ),
    Mutant(
        "a messenger waits until its user's account is free",
        "actions/channels/receiving.py",
        "    if not updates.try_lock_account(db, row.channel, row.account_id):\n",
        "    updates.lock_account(db, row.channel, row.account_id)\n    if False:\n",
        (f"{WORKING}test_nobody_waits_for_an_account_that_is_being_handled",),
    ),
    Mutant(
        "what a messaging process was faster with is handled again",
        "actions/channels/receiving.py",
        "    if not updates.is_waiting(db, row):\n",
        "    if False:\n",
        (f"{WORKING}test_what_a_messaging_process_was_faster_with_is_not_handled_again",),
    ),
    Mutant(
        "what is missing is given up while the door is closed",
        "models/channels/gaps.py",
        "number DESC LIMIT 1) - :open_for\n",
        "number DESC LIMIT 1) + :longest - :open_for\n",
        (f"{UPDATES}test_while_nothing_later_came_what_is_missing_is_waited_for_longer",),
    ),
    Mutant(
        "Telegram is told that updates have arrived which have not",
        "telegram_bot/polling.py",
        "self._offset = min(map(_number, self._left), default=self._next_offset)",
        "self._offset = number + 1",
        (f"{POLLING}test_nothing_is_done_with_that_came_in_another_order_and_has_not_arrived",),
    ),
    Mutant(
        "looks at an album that comes count as failures",
        "tasks/messaging/receiving.py",
        "        tries = updates.note_failure(row)\n",
        "        tries = claimed.attempt\n",
        (f"{FETCHING}test_looks_are_no_tries",),
    ),
    Mutant(
        "a message goes before one with files",
        "actions/channels/receiving.py",
        "    if needs_files or row.group_id or not updates.is_first(db, row):\n",
        "    if needs_files or row.group_id:\n",
        (f"{RECEIVING}test_what_comes_after_a_file_waits_until_that_was_fetched",),
    ),
    Mutant(
        "what came late is handled after what belongs behind it",
        "tasks/messaging/receiving.py",
        "        if not updates.is_first(db, row):\n",
        "        if False:\n",
        (f"{FETCHING}test_what_belongs_before_it_and_comes_late_goes_first",),
    ),
    Mutant(
        "words of an update are kept for ever",
        "models/channels/updates.py",
        "            one.payload, one.details = None, _marks(one) | more\n",
        "            one.details = _marks(one) | more\n",
        (f"{RECEIVING}test_what_has_been_handled_is_not_kept_in_words",),
    ),
    Mutant(
        "a message that was agreed to belongs to whoever presses",
        "models/channels/updates.py",
        "        ChannelUpdate.account_id == account_id,\n"
        "        ChannelUpdate.status == UpdateStatus.ASKED,\n    )\n",
        "        ChannelUpdate.status == UpdateStatus.ASKED,\n    )\n",
        (f"{COMMANDS}TestAskedFirst::test_nobody_else_agrees",),
    ),
    Mutant(
        "a code works twice",
        "models/channels/links.py",
        "        ChannelLink.used_at.is_(None),\n        ChannelLink.expires_at > utc_now(),\n",
        "        ChannelLink.expires_at > utc_now(),\n",
        (f"{LINKING}test_a_code_works_once",),
    ),
    Mutant(
        "a code works for ever",
        "models/channels/links.py",
        "        ChannelLink.expires_at > utc_now(),\n",
        "",
        (f"{LINKING}test_a_code_expires_and_a_newer_one_ends_it",),
    ),
    Mutant(
        "a linked messenger is taken over",
        "models/channels/accounts.py",
        "        if known.user_id != user_id:\n            raise LinkedElsewhere\n",
        "        known.user_id = user_id\n",
        (f"{LINKING}test_a_linked_messenger_is_taken_over_by_nobody",),
    ),
    Mutant(
        "codes outlive the login that made them",
        "models/people/sessions.py",
        "    links.end_all(db, user_id)\n",
        "",
        (f"{LINKING}test_logging_out_everywhere_and_a_new_password_end_codes",),
    ),
    Mutant(
        "a lane goes out all at once",
        "models/channels/delivery_claims.py",
        "deliveries AS this ON this.id = heads.id\n",
        "deliveries AS this ON (this.address, this.lane) = (heads.address, heads.lane)\n",
        (f"{OUTBOX}test_of_each_lane_the_first_is_claimed_and_the_next_when_it_is_over",),
    ),
    Mutant(
        "a claim that was lost still writes",
        "models/channels/delivery_claims.py",
        "        Delivery.attempts == claimed.attempt,\n",
        "",
        (f"{OUTBOX}test_a_claim_that_was_lost_changes_nothing_any_more",),
    ),
    Mutant(
        "whoever has lost the lease sends on",
        "tasks/messaging/parts.py",
        "                raise LeaseLost\n",
        "                return\n",
        (f"{DELIVERING}test_whoever_has_lost_the_lease_sends_no_further_part",),
    ),
    Mutant(
        "the next process sends every part again",
        "tasks/messaging/parts.py",
        "enumerate(parts[len(self.sent_ids) :], start=len(self.sent_ids))",
        "enumerate(parts)",
        (f"{DELIVERING}test_a_process_that_dies_between_parts_leaves_the_rest_to_the_next",),
    ),
    Mutant(
        "files of a stranger are fetched",
        "tasks/messaging/receiving.py",
        "Fetched() if is_strangers else _fetch(channel, arrived.files)",
        "_fetch(channel, arrived.files)",
        (f"{FETCHING}test_a_strangers_files_are_not_fetched",),
    ),
    Mutant(
        "anybody hands in updates",
        "webapp/channels/webhooks.py",
        "    if not channel.is_authentic(cast(Mapping[str, str], request.headers)):\n",
        "    if False:\n",
        (f"{WEBHOOK}test_what_is_refused_changes_nothing_and_is_logged_once",),
    ),
    Mutant(
        "a body is read before its secret",
        "webapp/core/sizes.py",
        "        request.max_content_length = WEBHOOKS[request.endpoint]\n        return\n",
        "        request.max_content_length = WEBHOOKS[request.endpoint]\n",
        (f"{WEBHOOK}test_without_the_secret_no_body_is_read",),
    ),
    Mutant(
        "a conversation of anybody is shown in a messenger",
        "webapp/channels/linking.py",
        "    conversation = conversations.find_own(db(), user_id, conversation_id)\n",
        "    from models.schema.chat import Conversation\n\n"
        "    conversation = db().get_one(Conversation, conversation_id)\n",
        (f"{PAGES}test_nobody_changes_anything_of_anothers",),
    ),
    Mutant(
        "a deleted conversation is sent all the same",
        "actions/conversations.py",
        "    accounts.release_conversation(db, conversation_id)\n",
        "",
        (f"{PAGES}test_a_deleted_conversation_goes_on_nowhere",),
    ),
    Mutant(
        "the caption of a refused picture is sent without it",
        "actions/channels/edits.py",
        "    if before.status in CAME_TO_NOTHING and before.details.get(updates.MORE):\n",
        "    if False:\n",
        (f"{EDITS}test_what_was_refused_with_its_files_is_to_be_sent_again",),
    ),
)
