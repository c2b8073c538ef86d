"""Faults by which users are told what is not theirs, twice, at night, or by a forged address."""

from tests.mutants.mutant import Mutant

SUBSCRIPTIONS = "tests/models/notifications/test_subscriptions.py::"
QUIET = "tests/models/notifications/test_quiet_hours.py::"
NOTIFICATIONS = "tests/actions/test_notifications.py::"
LONG_WORK = "tests/actions/test_long_work.py::"
PUSHING = "tests/tasks/test_pushing.py::"
WEB_PUSH = "tests/gateways/test_web_push.py::"

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
        "    if told is not None and ready_at <= now:\n",
        "    if told is not None:\n",
        (f"{NOTIFICATIONS}test_in_quiet_hours_it_waits_for_their_end",),
    ),
    Mutant(
        "nobody hears of money when no way is left",
        "actions/notifications.py",
        "    if EMAIL in ways or is_last_way:\n",
        "    if EMAIL in ways:\n",
        (f"{NOTIFICATIONS}test_news_of_money_is_mailed_when_no_chosen_way_can_be_gone",),
    ),
    Mutant(
        "a blocked messenger counts as reached",
        "actions/notifications.py",
        "account.blocked_at is None",
        "True",
        (f"{NOTIFICATIONS}test_news_of_money_is_mailed_when_no_chosen_way_can_be_gone",),
    ),
    Mutant(
        "who has the answer in a messenger is told beside it",
        "actions/long_work.py",
        "    if _has_messenger(db, job.id) or _is_deleted(db, job.conversation_id):\n",
        "    if _is_deleted(db, job.conversation_id):\n",
        (f"{LONG_WORK}test_where_a_messenger_has_the_answer_nothing_is_told_beside_it",),
    ),
)
