"""Everything that the site can be asked, in every way that nobody means well."""
