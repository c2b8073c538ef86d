"""What a user reads when something is refused, by the code of the refusal."""

from collections.abc import Mapping

from actions.sentences import (
    admin_refusals,
    admission,
    files,
    freezes,
    pauses,
    reminder_refusals,
    reminders,
    two_factor,
)
from models.archives.imported import BadArchive
from models.chat.uploads import UnreadableFile
from models.errors import Refused
from models.jobs.closures import UnderMaintenance
from models.ledger import SpendingFrozen
from models.money import money
from models.reminders.recurrence import BadRecurrence
from models.translation import gettext, marked
from settings import get_settings

REFUSALS: Mapping[str, str] = {
    **admin_refusals.REFUSALS,
    **two_factor.REFUSALS,
    **admission.REFUSALS,
    **files.REFUSALS,
    **reminder_refusals.REFUSALS,
    "absorbed_limit_reached": marked(
        "Too much went wrong with your messages today, at our expense. Sending opens again"
        " after midnight UTC; write to %(support)s if you need it sooner."
    ),
    "address_known": marked(
        "You have an account with this address already. Connect Google to it first."
    ),
    "address_not_verified": marked(
        "Please confirm your e-mail address first, with the link in our mail. Your words stay here."
    ),
    "address_reserved": marked(
        "An account had this address until lately and may take it back. Please use another one."
    ),
    "address_taken": marked("Another account has this address by now, so yours keeps the old one."),
    "already_answered": marked("This message is being answered, or has been."),
    "amount_out_of_range": marked("Please choose an amount between %(lowest)s and %(highest)s."),
    "attempt_over": marked(
        "This attempt is over, or it began in another browser. Please try again."
    ),
    "bad_address": marked(
        "This does not look like an e-mail address. Please check it for typing mistakes."
    ),
    "bad_amount": marked("Please choose an amount from the list, or type one in dollars."),
    "bad_limit": marked(
        "Please write each limit as an amount in dollars of at least $0.01, such as 0.50."
    ),
    "bad_note": marked("A note has 1 to %(most)s characters."),
    "bad_password": marked("Please choose a password of 8 to 200 characters."),
    "bad_plan_fields": marked("The automatic top-up was not changed. Please check what is marked."),
    "bad_profile": marked("Please fill in your name and choose a time zone from the list."),
    "bad_push_subscription": marked(
        "This browser's push service is not one that we can use. Please try another browser."
    ),
    "bad_title": marked("A conversation's name needs 1 to 80 characters."),
    "cannot_come_back": marked(
        "Another account has your old address by now. Please write to us, and we will sort it out."
    ),
    "channel_away": marked("%(messenger)s does not answer just now. Please try again in a minute."),
    "channel_link_gone": marked(
        "This link was used or has expired. Write to us in the messenger again to get another one."
    ),
    "channel_linked_elsewhere": marked(
        "This chat is connected to another account. Disconnect it there first, or write /unlink in"
        " the chat."
    ),
    "channel_other_linked": marked(
        "Your account is connected to another chat already. Disconnect that one in your settings"
        " first."
    ),
    "common_password": marked(
        "Others would guess this password soon. Choose a longer one, such as a short sentence."
    ),
    "day_limit_reached": marked(
        "You have reached your limit for today. It begins anew at midnight; change it in Limits."
    ),
    "google_address_unverified": marked(
        "Google has not verified the address of that account. Verify it there, or use another one."
    ),
    "google_away": marked(
        "Google cannot be reached just now. Please try again soon, or log in with your password."
    ),
    "google_untrusted": marked(
        "Google's answer did not prove who you are, so nothing was done. Please try again."
    ),
    "has_account": marked(
        "You already have an account with this address. Log in, or choose a new password."
    ),
    "has_another_identity": marked(
        "Your account is connected to another Google account. Disconnect that one first."
    ),
    "identity_taken": marked(
        "This Google account opens another account here. Disconnect it there first."
    ),
    "last_way_in": marked(
        "Choose a password first: without Google there would be no way into your account."
    ),
    "limit_reached": marked("You have reached one of your limits."),
    "limits_do_not_fit": marked(
        "A day cannot have more than its month, nor a message more than its day."
    ),
    "link_of_another": marked(
        "This link belongs to another account. Log out here first, then open it again."
    ),
    "link_used_up": marked(
        "This link has been used already, or it has expired. Ask for a new one."
    ),
    "message_being_answered": marked(
        "This message is being answered. Stop the answer first, then delete it."
    ),
    "message_limit_reached": marked(
        "This message has reached the most that it may cost. What was written so far is kept."
    ),
    "message_limit_too_high": marked(
        "No message may cost that much. Please choose a lower limit for each message."
    ),
    "message_too_long": marked(
        "This message is longer than 20,000 characters. Please shorten it or send it as a file."
    ),
    "month_limit_reached": marked(
        "You have reached your monthly limit. It begins anew on the 1st; change it in Limits."
    ),
    "month_too_small": marked("A month must allow for one top-up at least."),
    "name_too_long": marked("Please shorten your name to %(most)s characters."),
    "needs_too_long": marked("Please shorten your answer to %(most)s characters."),
    "no_password": marked(
        "Your account has no password yet. Choose one in the settings first, then do this."
    ),
    "no_reason": marked("Whoever unfreezes by force has to say why in words."),
    "no_saved_card": marked(
        "Save a card with your next top-up first; then it can be charged by itself."
    ),
    "no_threshold": marked("This must be more than $0.00."),
    "not_a_recording": marked(
        "This is no recording that can be played. Please record it again, or type your message."
    ),
    "not_found": marked("This page does not exist, or it is not yours."),
    "not_frozen": marked("This account is not frozen."),
    "not_its_password": marked(
        "This is not the password that was chosen. If you did not sign up here, choose your own."
    ),
    "not_kept": marked(
        "There is an invisible character in this that cannot be kept. Please type it yourself."
    ),
    "not_offered": marked("This model is not offered (any more). Please choose one from the list."),
    "not_remembered": marked(
        "This conversation is not to be remembered, so nothing is noted in it."
    ),
    "not_the_browser_that_asked": marked(
        "Open this link in the browser in which you asked for it, or ask there for a new one."
    ),
    "earlier_words_gone": marked(
        "What this note said before was deleted, so it cannot be put back."
    ),
    "note_changed_since": marked("This note has changed again since, so nothing was taken back."),
    "note_deleted": marked(
        "This note is deleted. To change it, undo the deletion first, under “What changed”."
    ),
    "noted_again": marked("The same is noted again by now, so there is nothing to restore."),
    "nothing_heard": marked(
        "No words could be heard in this recording. Please try again, or type your message."
    ),
    "nothing_offered": marked(
        "No model is set up on this site, so nobody can answer. Whoever runs it can change that."
    ),
    "nothing_on_sale": marked(
        "Credits cannot be bought on this site yet. Whoever runs it can change that."
    ),
    "nothing_to_send": marked("Write something, or add a file, before you send."),
    "odd_name": marked(
        "Your name has characters in it that cannot be shown. Please type it without them."
    ),
    "other_browser": marked(
        "Log in with the browser in which you asked for the new address, and open this link there."
    ),
    "out_of_credit": marked(
        "Your credits are used up. Top up to go on; everything you have stays here."
    ),
    "own_account": marked("This account is your own. Ask another administrator to look at it."),
    "recording_forgotten": marked(
        "This recording was turned into text before, too long ago to keep. Please record it again."
    ),
    "recording_refused": marked(
        "This recording cannot be turned into text. Please record it again, or type your message."
    ),
    "recording_too_large": marked(
        "This recording is larger than %(most_mb)s MB. Please send a shorter one."
    ),
    "recording_too_long": marked(
        "This recording is longer than %(most_minutes)s minutes. Please send a shorter one."
    ),
    "page_forbidden": marked("The site lets no assistant read this page."),
    "page_not_public": marked("This address leads to nothing on the public web."),
    "page_not_read": marked("This page could not be read."),
    "page_unreachable": marked("The page could not be reached, or is not there."),
    "page_unreadable": marked("There is no text on this page that can be read."),
    "reason_missing": marked("Please say why: it is kept with what you do."),
    "reason_too_long": marked("Please shorten the reason to %(most)s characters."),
    "push_subscription_taken": marked(
        "Notifications cannot be switched on in this browser just now. Please try it once more."
    ),
    "same_address": marked("This is your address already."),
    "sending_suspended": marked(
        "Sending is suspended on your account. Please write to %(support)s."
    ),
    "sign_in_suspended": marked(
        "Signing in to this account is suspended. Please write to %(support)s."
    ),
    "sign_up_refused": marked(
        "We could not create an account with these details. If you have one already, log in."
    ),
    "spending_frozen": marked(
        "Sending is closed on your account for now. You can read and download everything."
    ),
    "still_broken": marked(
        "The audit still finds something here. Put that right, or unfreeze by force and say why."
    ),
    "still_hearing": marked(
        "This recording is being turned into text already. Please try again in a moment."
    ),
    "till_away": marked(
        "The payment page cannot be reached just now. Nothing was charged; please try again soon."
    ),
    "too_many_exports": marked("You may have %(most)s exports a day. Please try again tomorrow."),
    "too_many_deleted_notes": marked(
        "You have deleted very many notes within the hour. Please note this in an hour, once they"
        " are gone."
    ),
    "too_many_notes": marked(
        "There are %(most)s notes already. Please delete some that are no longer needed."
    ),
    "too_many_users_waiting": marked(
        "Very many people are asking just now. Please send this again in a minute."
    ),
    "too_many_waiting": marked(
        "You have many messages waiting already. Please let some be answered first."
    ),
    "transcriber_away": marked(
        "Your recording could not be turned into text just now. Please try again, or type it."
    ),
    "search_not_offered": marked("The web cannot be searched on this site."),
    "two_amounts": marked(
        "You typed an amount while another one was chosen. Check which one you want, then go on."
    ),
    "under_maintenance": pauses.MAINTENANCE,
    "unknown_account": marked("There is no account of this address or id."),
    "unreachable_address": marked(
        "We cannot send mail to this address. Use one with plain letters (a to z) before the @."
    ),
    "unreadable": marked("Something in this form cannot be read. Please check it and try again."),
    "voice_not_offered": marked(
        "Recordings cannot be turned into text on this site. Please type your message."
    ),
    "wrong_credentials": marked("E-mail address and password do not match. Please try again."),
    "wrong_password": marked("This is not your present password. Please try again."),
}


def sentence_of(refusal: Refused) -> str:
    """Say why something is refused, and what to do about it."""
    if isinstance(refusal, SpendingFrozen) and refusal.reason is not None:
        return freezes.freeze(refusal.reason, refusal.details)
    if isinstance(refusal, UnderMaintenance):
        return pauses.maintenance(refusal.sentence)
    if isinstance(refusal, BadRecurrence) and refusal.details["part"] in reminders.PARTS:
        return gettext(reminders.PARTS[str(refusal.details["part"])])
    values = dict(map(_written, refusal.details.items()))
    if isinstance(refusal, UnreadableFile):
        return gettext(files.FAULTS[refusal.fault], **values)
    if isinstance(refusal, BadArchive) and refusal.fault in files.ARCHIVE_FAULTS:
        return gettext(files.ARCHIVE_FAULTS[refusal.fault])
    return gettext(REFUSALS[refusal.code], support=get_settings().support_address, **values)


def _written(detail: tuple[str, object]) -> tuple[str, object]:
    """Write an amount as money: of `lowest_micros` a sentence names `lowest`."""
    name, value = detail
    if name.endswith("_micros") and isinstance(value, int):
        return name.removesuffix("_micros"), money(value)
    return name, value
