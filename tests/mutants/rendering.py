"""Faults by which what somebody writes becomes a part of the page."""

from tests.mutants.mutant import Mutant

MARKDOWN = "tests/untrusted/test_markdown.py::"
RENDERING = "tests/untrusted/test_rendering.py::"
SECURITY = "tests/webapp/core/test_security.py::"
ERRORS = "tests/webapp/core/test_errors.py::"
COMMITS = "tests/webapp/core/test_db.py::"
COOKIE = f"{SECURITY}test_the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites"
CHAT = "tests/webapp/chat/test_routes.py::"

MUTANTS = (
    Mutant(
        "HTML passes through the parser",
        "untrusted/inside/markdown.py",
        '{"html": False, "linkify": True',
        '{"html": True, "linkify": True',
        (f"{MARKDOWN}test_the_first_wall_shows_markup_as_text",),
    ),
    Mutant(
        "pictures from elsewhere pass through the parser",
        "untrusted/inside/markdown.py",
        'MarkdownIt("gfm-like", rules).disable("image")',
        'MarkdownIt("gfm-like", rules)',
        (f"{MARKDOWN}test_the_first_wall_shows_markup_as_text",),
    ),
    Mutant(
        "the cleaner lets links run scripts",
        "untrusted/inside/markdown.py",
        'url_schemes={"http", "https", "mailto"},',
        'url_schemes={"http", "https", "mailto", "javascript"},',
        (f"{MARKDOWN}test_the_second_wall_stands_alone",),
    ),
    Mutant(
        "the cleaner lets attributes run scripts",
        "untrusted/inside/markdown.py",
        '    "a": {"href", "title"},\n',
        '    "a": {"href", "title", "onclick"},\n',
        (f"{MARKDOWN}test_the_second_wall_stands_alone",),
    ),
    Mutant(
        "the cleaner lets pictures load",
        "untrusted/inside/markdown.py",
        '    *("a", "code", "em", "s", "span", "strong"),\n',
        '    *("a", "code", "em", "s", "span", "strong", "img"),\n',
        (f"{MARKDOWN}test_the_second_wall_stands_alone",),
    ),
    Mutant(
        "links lead to pages of ours",
        "untrusted/inside/markdown.py",
        'url_relative="deny",',
        'url_relative="passthrough",',
        (f"{MARKDOWN}test_a_link_that_is_relative_leads_nowhere",),
    ),
    Mutant(
        "links tell where they were followed",
        "untrusted/inside/markdown.py",
        'link_rel="noopener noreferrer nofollow",',
        "link_rel=None,",
        (f"{MARKDOWN}test_links_open_elsewhere_and_tell_nothing",),
    ),
    Mutant(
        "code without colours is markup",
        "untrusted/inside/markdown.py",
        "if ink else html.escape(token.content)",
        "if ink else token.content",
        (f"{MARKDOWN}test_code_without_colours_is_shown_as_it_is",),
    ),
    Mutant(
        "a half of the text is shown twice",
        "untrusted/inside/markdown.py",
        "    return closed, _clean(tokens[:at], env), _clean(tokens[at:], env)\n",
        "    return closed, _clean(tokens[:at], env), _clean(tokens, env)\n",
        (f"{MARKDOWN}test_a_finished_paragraph_is_stable_and_the_next_is_not",),
    ),
    Mutant(
        "what cannot be rendered is markup",
        "untrusted/rendering.py",
        '(html.escape(one).replace("\\n", "<br>\\n") for one',
        '(one.replace("\\n", "<br>\\n") for one',
        (f"{RENDERING}test_plain_text_is_paragraphs_with_their_line_breaks",),
    ),
    Mutant(
        "what people write is markup",
        "webapp/templates/chat/_asked.html",
        "{{ message.text }}",
        "{{ message.text | safe }}",
        (f"{CHAT}test_what_people_write_is_shown_as_they_wrote_it",),
    ),
    Mutant(
        "names in mails are markup",
        "models/email/templates/content.py",
        'autoescape=select_autoescape(["html"]),',
        "autoescape=False,",
        ("tests/models/email/test_templates.py::test_hostile_words_are_shown_as_words",),
    ),
    Mutant(
        "scripts run that we did not write",
        "webapp/core/security.py",
        "\"script-src\": f\"'self' 'nonce-{nonce()}'\",",
        "\"script-src\": f\"'self' 'unsafe-inline' 'nonce-{nonce()}'\",",
        (f"{SECURITY}test_only_scripts_that_we_wrote_may_run",),
    ),
    Mutant(
        "scripts read the login",
        "webapp/core/security.py",
        "SESSION_COOKIE_HTTPONLY=True,",
        "SESSION_COOKIE_HTTPONLY=False,",
        (COOKIE,),
    ),
    Mutant(
        "forms of other sites are taken",
        "webapp/core/security.py",
        "    csrf.init_app(app)  # pyright: ignore[reportUnknownMemberType]\n",
        "",
        (f"{ERRORS}test_a_form_without_its_token_is_refused",),
    ),
    Mutant(
        "what fails at the commit of a page is no outage but a bug",
        "webapp/core/db.py",
        "        return make_response(current_app.handle_user_exception(error))\n",
        "        raise\n",
        (f"{COMMITS}test_an_answer_whose_commit_does_not_reach_postgresql_is_an_outage",),
    ),
    Mutant(
        "a refusal is a bug where its rollback fails",
        "webapp/core/db.py",
        "with suppress(DBAPIError):\n        session.rollback()",
        "with suppress(ZeroDivisionError):\n        session.rollback()",
        (f"{COMMITS}test_a_refusal_stays_one_though_its_rollback_does_not_reach_postgresql",),
    ),
    Mutant(
        "only one way in which PostgreSQL ends a connection is an outage",
        "webapp/core/errors.py",
        "    return was_ended or isinstance(error, OUTAGES)\n",
        "    return isinstance(error, OUTAGES)\n",
        (f"{ERRORS}test_however_postgresql_ends_a_connection_it_is_an_outage",),
    ),
    Mutant(
        "the log asks the database whose a request was that is undone",
        "webapp/core/auth.py",
        "return known.user_id if",
        "return known.session.user_id if",
        (f"{COMMITS}test_nothing_is_read_again_when_a_request_was_undone",),
    ),
    Mutant(
        "an outage that is met after the view is a bug",
        "webapp/core/errors.py",
        "isinstance(broken, RedisError) or _is_outage(broken)",
        "isinstance(broken, ZeroDivisionError)",
        (f"{ERRORS}test_an_outage_after_the_view_is_one",),
    ),
    Mutant(
        "a page looks for answers among all messages",
        "models/chat/history.py",
        "(answer.c.role == ASSISTANT)",
        "(answer.c.role == Role.ASSISTANT)",
        ("tests/models/chat/test_history.py::test_answers_are_found_by_their_index",),
    ),
)
