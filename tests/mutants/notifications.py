"""Faults by which users are told what is not theirs, twice, at night, or by a forged address."""

from tests.mutants.mutant import Mutant

SUBSCRIPTIONS = "tests/models/notifications/test_subscriptions.py::"
QUIET = "tests/models/notifications/test_quiet_hours.py::"
NOTIFICATIONS = "tests/actions/test_notifications.py::"
WAYS = "tests/actions/test_ways.py::"
LONG_WORK = "tests/actions/test_long_work.py::"
PUSHING = "tests/tasks/test_pushing.py::"
WEB_PUSH = "tests/gateways/test_web_push.py::"
WITHDRAWAL = "tests/actions/test_withdrawal.py::"
DELETING = f"{WITHDRAWAL}test_who_deletes_a_conversation_"

MUTANTS = (
    Mutant(
        "anybody switches off anothers' browser",
        "models/notifications/subscriptions.py",
        "            PushSubscription.id == subscription_id, PushSubscription.user_id == user_id\n",
        "            PushSubscription.id == subscription_id\n",
        (f"{SUBSCRIPTIONS}test_nobody_removes_the_browsers_of_others",),
    ),
    Mutant(
        "anybody takes over an endpoint that they know",
        "models/notifications/subscriptions.py",
        "    if known is not None and not _same_keys(known, keys):\n",
        "    if False:\n",
        (f"{SUBSCRIPTIONS}test_nobody_takes_over_an_endpoint_without_its_keys",),
    ),
    Mutant(
        "one of the two keys is proof enough",
        "models/notifications/subscriptions.py",
        "    return hmac.compare_digest(known.p256dh, keys.p256dh) and has_secret\n",
        "    return has_secret\n",
        (f"{SUBSCRIPTIONS}test_nobody_takes_over_an_endpoint_without_its_keys",),
    ),
    Mutant(
        "what waits is shown where its user has logged out",
        "models/notifications/pushes.py",
        "        if session.revoked_at is None and session.expires_at > clock(db):\n",
        "        if session.expires_at > clock(db):\n",
        (f"{PUSHING}test_nothing_is_shown_where_its_user_has_logged_out",),
    ),
    Mutant(
        "two senders have one push",
        "models/notifications/pushes.py",
        "    push.next_try_at = clock(db) + lease\n",
        "",
        (f"{PUSHING}test_what_is_due_is_sent_once", f"{PUSHING}test_many_senders_send_each_once"),
    ),
    Mutant(
        "a browser that is gone is pushed to for ever",
        "gateways/web_push.py",
        "GONE = {404, 410}\n",
        "GONE = {404}\n",
        (f"{PUSHING}test_a_browser_that_is_gone_is_forgotten",),
    ),
    Mutant(
        "any host is a push service",
        "gateways/web_push.py",
        "        else found is not None and _is_of(found[1], service)\n",
        "        else found is not None\n",
        (f"{WEB_PUSH}test_nothing_else_is_called",),
    ),
    Mutant(
        "a stand-in is known by the beginning of its origin",
        "gateways/web_push.py",
        '        endpoint.startswith(f"{service}/")\n',
        "        endpoint.startswith(service)\n",
        (f"{WEB_PUSH}test_a_stand_in_is_known_by_its_whole_origin",),
    ),
    Mutant(
        "a push service leads us elsewhere",
        "gateways/web_push.py",
        "                allow_redirects=False,\n",
        "                allow_redirects=True,\n",
        (f"{WEB_PUSH}test_nobody_is_led_elsewhere",),
    ),
    Mutant(
        "quiet hours over midnight are none",
        "models/notifications/quiet_hours.py",
        "        return minute >= self.from_minute or minute < self.until_minute\n",
        "        return self.from_minute <= minute < self.until_minute\n",
        (f"{QUIET}test_a_night_in_berlin_ends_in_the_morning",),
    ),
    Mutant(
        "an hour that comes twice is over before it begins",
        "models/notifications/quiet_hours.py",
        "for fold in (0, 1))\n",
        "for fold in (0,))\n",
        (f"{QUIET}test_an_end_that_comes_twice_counts_whenever_it_is_next",),
    ),
    Mutant(
        "people are told at night",
        "actions/notifications.py",
        "for name, told in added.items() if told.ready_at <= now],\n",
        "for name, told in added.items()],\n",
        (f"{NOTIFICATIONS}test_in_quiet_hours_it_waits_for_their_end",),
    ),
    Mutant(
        "what no way can bring is told nobody",
        "actions/notifications.py",
        "        if choice.takes(EMAIL) or (choice.is_mailed_at_last and not reached):\n",
        "        if choice.takes(EMAIL):\n",
        (f"{NOTIFICATIONS}test_what_no_chosen_way_can_bring_is_mailed",),
    ),
    Mutant(
        "a blocked messenger counts as reached",
        "models/channels/accounts.py",
        "        ChannelAccount.user_id.in_(user_ids), ChannelAccount.blocked_at.is_(None)\n",
        "        ChannelAccount.user_id.in_(user_ids)\n",
        (f"{NOTIFICATIONS}test_what_no_chosen_way_can_bring_is_mailed",),
    ),
    Mutant(
        "what was refused after all is lost",
        "models/notifications/held.py",
        "    return None if PushStatus.WAITING in states else False\n",
        "    return None if PushStatus.WAITING in states else True\n",
        (f"{WAYS}test_what_was_refused_after_all_is_mailed_once",),
    ),
    Mutant(
        "nobody hears of money any more",
        "models/notifications/preferences.py",
        "    if not ways and topic in MANDATORY:\n",
        "    if False:\n",
        (f"{NOTIFICATIONS}test_news_of_money_comes_by_some_way",),
    ),
    Mutant(
        "reminders wait for the end of the night",
        "actions/notifications.py",
        "COMES_AT_ITS_TIME = frozenset({Topic.REMINDERS})\n",
        "COMES_AT_ITS_TIME = frozenset[Topic]()\n",
        (f"{WAYS}test_reminders_alone_come_in_quiet_hours",),
    ),
    Mutant(
        "strangers are mailed what somebody wrote",
        "actions/notification_mails.py",
        "        if told.topic not in MANDATORY and verification.is_awaited(one.user):\n",
        "        if False:\n",
        (f"{WAYS}test_nothing_that_somebody_wrote_goes_to_an_address_of_nobodys",),
    ),
    Mutant(
        "two who mail at once go beyond the bound",
        "models/notifications/mail_quota.py",
        '    db.execute(_LOCK, {"ids": sorted(map(str, days))})\n',
        "",
        (f"{WAYS}test_those_who_mail_at_once_keep_to_the_bound",),
    ),
    Mutant(
        "who has the answer in a messenger is told beside it",
        "actions/long_work.py",
        "    if _has_messenger(db, job.id) or _is_deleted(db, job.conversation_id):\n",
        "    if _is_deleted(db, job.conversation_id):\n",
        (f"{LONG_WORK}test_where_a_messenger_has_the_answer_nothing_is_told_beside_it",),
    ),
    Mutant(
        "what a user is reminded of stays in the subjects of mails",
        "models/email/outbox.py",
        'dict.fromkeys(("subject", "text_body", "html_body"), "")',
        'dict.fromkeys(("text_body", "html_body"), "")',
        ("tests/models/email/test_outbox.py::test_a_sent_mail_keeps_no_words",),
    ),
    Mutant(
        "a mail goes out that tells of a deleted message",
        "models/chat/conversations.py",
        "    withdrawal.withdraw(db, conversation.user_id, said)\n",
        "",
        (
            f"{DELETING}takes_back_what_was_written_to_be_sent",
            f"{DELETING}takes_back_a_mail_of_several",
        ),
    ),
    Mutant(
        "a messenger says what was deleted",
        "models/notifications/withdrawal.py",
        "    deliveries.cancel_notices(db, user_id, references)\n",
        "",
        (f"{DELETING}takes_back_what_was_written_to_be_sent",),
    ),
    Mutant(
        "what was called off in a messenger keeps its words",
        "models/channels/deliveries.py",
        "finished_at=func.clock_timestamp(), content={})",
        "finished_at=func.clock_timestamp())",
        (f"{DELETING}takes_back_what_was_written_to_be_sent",),
    ),
    Mutant(
        "what a clock hands over just then goes out though it is deleted",
        "models/notifications/withdrawal.py",
        ".where(is_told).with_for_update()",
        ".where(is_told)",
        (f"{WITHDRAWAL}test_what_is_handed_over_just_then_is_taken_back_too",),
    ),
    Mutant(
        "a sender and a deletion wait for each other",
        "models/notifications/pushes.py",
        "of=(PushSubscription, Push)",
        "of=(Push,)",
        (f"{WITHDRAWAL}test_a_login_that_ends_and_a_deletion_wait_for_each_other_in_order",),
    ),
    Mutant(
        "a conversation that told of much is never deleted",
        "models/base.py",
        "    return column == any_(literal([*values], ARRAY(Text)))\n",
        "    return column.in_(values)\n",
        (f"{WITHDRAWAL}test_however_much_was_told_it_is_taken_back",),
    ),
    Mutant(
        "mail is given up because our own domain is not verified yet",
        "gateways/mail.py",
        "code in REFUSED_BY_SES and NOT_YET not in str(error)",
        "code in REFUSED_BY_SES",
        ("tests/gateways/test_mail.py::test_ses_is_asked_once_and_its_refusal_is_understood",),
    ),
)
