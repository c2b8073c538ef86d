"""Faults by which somebody sees or changes what is another's."""

from tests.mutants.mutant import Mutant

CONVERSATIONS = "tests/models/chat/test_conversations.py::"
BILLING = "tests/webapp/money/test_billing.py::"
ALERTS = "tests/webapp/core/test_alerts.py::"
PREFERENCES = "tests/webapp/accounts/test_preferences.py::"
CHAT = "tests/webapp/chat/test_routes.py::"
TAKEOVER = "tests/models/people/test_takeover.py::"
VERIFICATION = "tests/webapp/accounts/test_verification.py::"
QUOTING = "tests/webapp/chat/test_quotes.py::"
ADMIN = "tests/webapp/admin/test_reports.py::"

MUTANTS = (
    Mutant(
        "who resets a squatter's password gets what they left",
        "models/people/password_reset.py",
        "        user = takeover.begin_anew(db, user)\n",
        "        user.email_verified_at = None\n",
        (f"{TAKEOVER}test_the_owner_has_no_row_of_whoever_came_before",),
    ),
    Mutant(
        "an account that is taken over is not erased",
        "models/people/takeover.py",
        "    squatted.deletion_due_at = LONG_AGO\n",
        "",
        (f"{TAKEOVER}test_all_of_it_is_erased_and_nothing_of_the_owner",),
    ),
    Mutant(
        "a reset takes everything where no address is verified",
        "models/people/takeover.py",
        "    return verification.is_awaited(user)\n",
        "    return user.email_verified_at is None\n",
        (f"{TAKEOVER}test_where_no_address_is_verified_a_reset_takes_nothing",),
    ),
    Mutant(
        "the reader of a mail confirms the address for whoever signed up with it",
        "webapp/accounts/verification.py",
        "    if find_current_user() is None:\n        return to_login()\n    try:\n",
        "    try:\n",
        (f"{VERIFICATION}test_where_nobody_is_logged_in_a_link_wants_the_password_first",),
    ),
    Mutant(
        "anybody finds a conversation by its id",
        "models/chat/conversations.py",
        '    Conversation.user_id == bindparam("owner"), Conversation.deleted_at.is_(None)\n',
        '    bindparam("owner").is_not(None), Conversation.deleted_at.is_(None)\n',
        (f"{CONVERSATIONS}test_nobody_finds_what_is_anothers",),
    ),
    Mutant(
        "anybody finds a job by its id",
        "models/jobs/queries.py",
        "select(Job).where(Job.id == job_id, Job.user_id == user_id)",
        "select(Job).where(Job.id == job_id)",
        (f"{CONVERSATIONS}test_nobody_finds_what_is_anothers",),
    ),
    Mutant(
        "anybody calls off all jobs of a conversation",
        "models/jobs/cancellation.py",
        "            Job.user_id == user_id,\n            Job.status.in_(UNFINISHED),\n",
        "            Job.status.in_(UNFINISHED),\n",
        ("tests/models/chat/test_history.py::test_nobody_cancels_what_is_anothers",),
    ),
    Mutant(
        "anybody finds a file by its id",
        "models/chat/uploads.py",
        "select(Upload).where(Upload.id == upload_id, Upload.user_id == user_id)",
        "select(Upload).where(Upload.id == upload_id)",
        (f"{CONVERSATIONS}test_an_upload_is_found_only_by_its_owner",),
    ),
    Mutant(
        "one person's assistant remembers what another one said",
        "models/chat/context.py",
        '            Job.user_id == bindparam("user", type_=Uuid()),\n'
        "            Conversation.deleted_at",
        '            bindparam("user", type_=Uuid()).is_not(None),\n'
        "            Conversation.deleted_at",
        (f"{CONVERSATIONS}test_other_conversations_are_remembered_and_nobody_elses",),
    ),
    Mutant(
        "files of others are restored",
        "models/ops/snapshots.py",
        "            .where(StateSnapshot.user_id == user_id)\n",
        "",
        (f"{CONVERSATIONS}test_nobody_is_given_anothers_files",),
    ),
    Mutant(
        "anybody looks at a payment",
        "models/payments/checkout.py",
        "select(Payment).where(Payment.id == payment_id, Payment.user_id == user_id)",
        "select(Payment).where(Payment.id == payment_id)",
        (f"{BILLING}test_nobody_sees_or_changes_what_is_anothers",),
    ),
    Mutant(
        "everybody's payments are listed",
        "models/payments/checkout.py",
        "    mine = select(Payment).where(Payment.user_id == user_id)\n",
        "    mine = select(Payment)\n",
        ("tests/models/payments/test_payments.py::test_nobody_is_shown_the_payments_of_others",),
    ),
    Mutant(
        "files that wait are sent by others",
        "models/chat/pending_uploads.py",
        "        .where(PendingUpload.id.in_(ids), PendingUpload.user_id == user_id)\n"
        "        .order_by(PendingUpload.id)\n",
        "        .where(PendingUpload.id.in_(ids))\n        .order_by(PendingUpload.id)\n",
        (f"{QUOTING}test_nobody_sends_the_files_of_others",),
    ),
    Mutant(
        "an alert is dismissed by others",
        "models/ledger/alerts.py",
        "select(Alert).where(Alert.id == alert_id, Alert.user_id == user_id)",
        "select(Alert).where(Alert.id == alert_id)",
        (f"{ALERTS}test_nobody_sees_or_dismisses_the_alerts_of_others",),
    ),
    Mutant(
        "anybody logs a browser of others out",
        "models/people/sessions.py",
        "            UserSession.id == session_id,\n            UserSession.user_id == user_id,\n",
        "            UserSession.id == session_id,\n",
        (f"{PREFERENCES}test_nobody_can_send_away_the_browsers_of_others",),
    ),
    Mutant(
        "logging out everywhere else logs everybody out",
        "models/people/sessions.py",
        "            UserSession.user_id == user_id,\n"
        "            UserSession.id.is_distinct_from(keep),\n",
        "            UserSession.id.is_distinct_from(keep),\n",
        (f"{PREFERENCES}test_nobody_can_send_away_the_browsers_of_others",),
    ),
    Mutant(
        "browsers of others are listed",
        "models/people/sessions.py",
        "                UserSession.user_id == user_id,\n                UserSession.revoked_at",
        "                UserSession.revoked_at",
        ("tests/models/people/test_users.py::test_nobody_is_shown_the_browsers_of_others",),
    ),
    Mutant(
        "a session goes on that was revoked",
        "models/people/sessions.py",
        "        UserSession.revoked_at.is_(None),\n        UserSession.expires_at > bindparam",
        "        UserSession.expires_at > bindparam",
        ("tests/models/people/test_users.py::test_a_session_lives_until_it_is_revoked",),
    ),
    Mutant(
        "everybody is let to the pages of admins",
        "webapp/admin/access.py",
        "if person is None or not person.is_admin:",
        "if person is None:",
        (f"{ADMIN}test_for_people_who_are_no_admins_there_is_nothing",),
    ),
    Mutant(
        "an admin sees pages of other roles",
        "webapp/admin/access.py",
        "return None if may(person, asked) else close()",
        "return None",
        ("tests/webapp/admin/test_roles.py::test_each_role_sees_what_it_may_and_nothing_else",),
    ),
    Mutant(
        "a verb of admins asks for no role",
        "models/ops/admin_actions.py",
        "    refuse_unless(order.admin, needs)\n",
        "",
        ("tests/models/ops/test_user_actions.py::test_viewers_and_users_do_nothing",),
    ),
    Mutant(
        "a suspended account is signed in to",
        "models/people/sessions.py",
        "    if user.sign_in_suspended_at is not None:\n        raise SignInSuspended\n",
        "",
        ("tests/models/ops/test_user_actions.py::test_who_may_not_sign_in_is_out_everywhere",),
    ),
    Mutant(
        "an admin ends the freeze of their own account",
        "models/ledger/freezes.py",
        "    if user_id == admin_id:\n        raise OwnAccount\n",
        "",
        (f"{ADMIN}test_nobody_ends_the_freeze_of_their_own_account",),
    ),
    Mutant(
        "the same form of another person answers with their job",
        "models/jobs/enqueue.py",
        "        Message.user_id == user_id, Message.sent_key == sent_key, Message.text == words\n",
        "        Message.sent_key == sent_key, Message.text == words\n",
        (f"{CHAT}test_a_form_that_is_sent_again_says_it_once",),
    ),
    Mutant(
        "what others spent is shown",
        "models/ledger/usage.py",
        "        Transaction.user_id == user_id,\n        Transaction.kind == EntryKind.CHARGE,\n",
        "        Transaction.kind == EntryKind.CHARGE,\n",
        ("tests/webapp/money/test_usage.py::test_nobody_sees_what_others_spent",),
    ),
    Mutant(
        "storage of others counts",
        "models/chat/storage_quotas.py",
        "select(size).where(table.user_id == user_id)",
        "select(size)",
        ("tests/webapp/core/test_shares.py::test_the_files_of_others_take_no_room",),
    ),
    Mutant(
        "a link works for whoever is logged in",
        "webapp/core/auth.py",
        "if person is not None and person.id != user_id:",
        "if person is None and user_id is None:",
        (f"{VERIFICATION}test_eve_cannot_use_a_link_that_belongs_to_somebody_else",),
    ),
)
