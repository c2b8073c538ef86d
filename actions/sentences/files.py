"""What users read when a file or an archive cannot be taken in, by what is wrong with it."""

from collections.abc import Mapping

from models.translation import marked

# What is wrong with a file that cannot be read: see `untrusted.uploads.Fault`.
FAULTS: Mapping[str, str] = {
    "broken": marked(
        "“%(name)s” is damaged or incomplete and cannot be read. Please send another copy."
    ),
    "too_large": marked("“%(name)s” is too large a picture. Please send a smaller one."),
    "encrypted": marked(
        "“%(name)s” is locked with a password. Remove the password and send it again."
    ),
    "too_hard": marked("“%(name)s” takes too long to read. Please send a smaller or simpler copy."),
    "no_text": marked("“%(name)s” has no text in it. If it is a scan, send its pages as pictures."),
    "no_pages": marked("“%(name)s” has no pages. Please choose another file."),
    "not_text": marked(
        "“%(name)s” cannot be read. Send pictures (PNG, JPEG, GIF, WebP, HEIC, AVIF), PDFs or text."
    ),
}
# What is wrong with an archive: see `untrusted.archives.ArchiveFault`.
ARCHIVE_FAULTS: Mapping[str, str] = {
    "broken": marked("This is no whole ZIP archive of ours, so nothing was taken from it."),
    "too_large": marked(
        "There is more in this archive than can be taken in at once. Nothing was taken from it."
    ),
    "too_hard": marked("This archive takes too long to read. Nothing was taken from it."),
    "encrypted": marked("This archive is locked with a password. Pack it without one."),
    "odd_names": marked(
        "This archive has links or names in it that cannot be taken over, so nothing was taken"
        " from it."
    ),
    "nothing": marked("There are neither conversations nor a workspace in this archive."),
}
