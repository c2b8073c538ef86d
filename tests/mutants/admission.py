"""Faults by which somebody comes in, gets credit or acts who may not."""

from tests.mutants.mutant import Mutant

ADMISSION = "tests/models/people/test_admission.py::"
INVITING = "tests/models/ops/test_invitation_actions.py::"
LISTING = "tests/models/ops/test_access_rule_actions.py::"
INVITED = "tests/webapp/admin/test_invitations.py::"
ABUSE = "tests/webapp/admin/test_abuse.py::"
ANALYTICS = "tests/tasks/test_analytics.py::"

MUTANTS = (
    Mutant(
        "accounts begin while signing up is closed",
        "models/people/admission.py",
        "if wanted is SignUpRule.CLOSED:",
        "if wanted is SignUpRule.CLOSED and not newcomer.code:",
        (f"{ADMISSION}test_nobody_begins_an_account_while_signing_up_is_closed",),
    ),
    Mutant(
        "an account begins without the invitation that it takes",
        "models/people/admission.py",
        "    if wanted is SignUpRule.INVITE_ONLY:\n        raise InvitationNeeded\n",
        "",
        (f"{ADMISSION}test_an_invitation_lets_as_many_in_as_it_says",),
    ),
    Mutant(
        "an invitation is never used up",
        "models/people/invitations.py",
        "    found.uses += 1\n",
        "",
        (f"{ADMISSION}test_an_invitation_lets_as_many_in_as_it_says",),
    ),
    Mutant(
        "an invitation that was ended lets people in",
        "models/people/invitations.py",
        "        Invitation.ended_at.is_(None),\n",
        "",
        (f"{ADMISSION}test_codes_that_are_over_or_made_up_count_for_nothing",),
    ),
    Mutant(
        "a blocked network begins accounts",
        "models/people/admission.py",
        "    if verdict is Verdict.BLOCK:\n        raise SignUpBlocked\n",
        "",
        (f"{ADMISSION}test_blocked_networks_and_domains_begin_no_account",),
    ),
    Mutant(
        "who promises credit needs no leave to move money",
        "models/ops/invitation_actions.py",
        "return Permission.ACT_MONEY if bonus_micros else Permission.ACT",
        "return Permission.ACT",
        (f"{INVITING}test_support_promises_no_credit",),
    ),
    Mutant(
        "an admin promises as much credit as they like",
        "models/ops/invitation_actions.py",
        "if micros and int(db.scalar(lately) or 0) + micros > most:",
        "if micros > most:",
        (f"{INVITED}test_support_promises_no_credit_and_nobody_too_much",),
    ),
    Mutant(
        "who only looks puts networks on lists",
        "models/ops/access_rule_actions.py",
        "return admin_actions.admit(db, order, needs=Permission.ACT)",
        "return admin_actions.admit(db, order, needs=Permission.READ)",
        (f"{INVITING}test_who_may_not_act_changes_nothing",),
    ),
    Mutant(
        "who is on hold sends",
        "models/ops/access_rule_actions.py",
        "    if verdict in WITHHOLDS:\n",
        "    if verdict is None:\n",
        (f"{ABUSE}test_who_is_held_reads_so_and_sends_again_when_it_ends",),
    ),
    Mutant(
        "the end of an entry lifts a suspension that was ordered by hand",
        "models/ops/access_rule_actions.py",
        "    if not user_actions.is_suspended_by_hand(db, user):\n",
        "    if True:\n",
        (f"{LISTING}test_a_suspension_by_hand_outlasts_every_entry",),
    ),
    Mutant(
        "a suspension that was lifted keeps whom a list lets go",
        "models/ops/user_actions.py",
        "bool(ordered_at) and datetime.fromisoformat(ordered_at) == user.sending_suspended_at",
        "bool(ordered_at)",
        (f"{LISTING}test_one_that_was_lifted_by_hand_outlasts_nothing",),
    ),
    Mutant(
        "who is on hold is let send by hand",
        "models/ops/user_actions.py",
        "            raise StillListed\n",
        "            pass\n",
        (f"{LISTING}test_who_is_held_is_not_let_send_by_hand",),
    ),
    Mutant(
        "two admins who list the same at once get in each other's way",
        "models/ops/access_rule_actions.py",
        "    _wait_for_others(db, subject)\n",
        "",
        (f"{LISTING}test_two_admins_list_the_same_at_once",),
    ),
    Mutant(
        "who let a code lapse never waits again",
        "models/people/waiting_list.py",
        "    again = _wait_again(db, address)\n",
        "    again = None\n",
        (f"{ADMISSION}test_who_let_a_code_lapse_waits_again_behind_the_others",),
    ),
    Mutant(
        "free credit is given before somebody has looked",
        "models/people/free_credit.py",
        "    Verdict.HOLD: RefusalReason.HELD,\n",
        "    Verdict.HOLD: None,\n",
        (f"{ABUSE}test_the_free_credit_waits_for_a_look_and_comes_with_it",),
    ),
    Mutant(
        "the analytics service learns who it is",
        "tasks/analytics.py",
        "_person(one.user_id)",
        "str(one.user_id)",
        (f"{ANALYTICS}test_steps_are_handed_on_once_and_say_nothing_of_who_it_is",),
    ),
)
