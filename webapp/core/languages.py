"""In which language a visitor is addressed, and the sentences that templates may ask for."""

from typing import cast

from babel.support import NullTranslations
from flask import Flask, request
from flask_babel import Babel, Domain, get_locale

from actions.sentences import (
    admin_actions,
    alerts,
    entries,
    failures,
    free_credit,
    freezes,
    jobs,
    pauses,
    payments,
    rules,
)
from models import translation
from webapp.core.auth import find_current_user


class OneCatalogue(Domain):
    """Lets templates take their words from where all other sentences come from."""

    def get_translations(self) -> NullTranslations:
        return translation.catalogue(translation.known(str(get_locale())))


class Languages(Babel):
    domain_instance = OneCatalogue()  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]


def install(app: Flask) -> None:
    """Address each visitor in their language: what they chose, else what their browser asks for."""
    Languages(app, locale_selector=choose)
    app.before_request(_speak)
    known = cast(dict[str, object], app.jinja_env.globals)
    known.update(
        action_words=admin_actions.words,
        pause_words=pauses.sentence,
        alert_meaning=alerts.meaning,
        change_words=admin_actions.changes,
        alert_words=alerts.words,
        credit_refusal=free_credit.for_admins,
        failure_of=failures.of_job,
        failure_code_words=jobs.code,
        freeze_of=freezes.of_user,
        freeze_words=freezes.freeze,
        note_of=entries.note,
        payment_failure=payments.failure,
        rule_words=rules.rule,
        carried_for=entries.carried,
        top_up_off=payments.top_up_off,
        state_words=jobs.state,
        trouble_words=payments.trouble,
    )


def choose() -> str:
    """Return the language of whoever is asking; one of those that there are."""
    if len(translation.LOCALES) == 1:
        return translation.LOCALES[0]
    person = find_current_user()
    if person is not None and person.locale is not None:
        return translation.known(person.locale)
    return request.accept_languages.best_match(translation.LOCALES) or translation.LOCALES[0]


def _speak() -> None:
    translation.speak(str(get_locale()))
