"""What users and admins read for each code: the one place where codes become sentences.

Every channel takes its words from here. Each family of codes has its table; a test finds a code
that has no sentence. A sentence may be reworded at any time, as nothing goes by it.
"""
