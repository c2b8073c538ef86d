"""Pages that are shown without a login: the landing page and the prices."""
