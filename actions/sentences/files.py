"""What users read when files or archives are refused, by the code or by what is wrong with one."""

from collections.abc import Mapping

from models.translation import marked

REFUSALS: Mapping[str, str] = {
    "archive_too_large": marked(
        "The archive has more than %(most_mb)s MB. Leave its folders “files” and “agents” out and"
        " try again."
    ),
    "bad_archive": marked("Nothing could be taken from this archive. Please choose another one."),
    "empty_file": marked("“%(name)s” is empty. Please choose another file."),
    "file_refused": marked("This file cannot be sent. Images, text files and PDFs can."),
    "file_too_large": marked("“%(name)s” is larger than %(most_mb)s MB. Send a smaller one."),
    "files_gone": marked("The files of this message have waited too long. Please add them again."),
    "storage_away": marked(
        "Your files cannot be taken in right now. Please try again in a moment."
    ),
    "storage_full": marked(
        "Your files take all the room that you have. Delete some that you no longer need, on the"
        " page of your files."
    ),
    "too_many_files": marked("Please send at most %(most)s files at once."),
    "too_many_handed_over": marked("An answer may have %(most)s files at most."),
    "too_much_staged": marked(
        "Too many files of yours wait to be sent already. Send or drop those first."
    ),
    "unreadable_file": marked("“%(name)s” cannot be read. Please choose another file."),
}
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
    "office": marked(
        "“%(name)s” cannot be read as it is. Please save it as PDF; of a spreadsheet, save each"
        " sheet as CSV."
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
