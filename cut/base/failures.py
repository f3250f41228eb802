"""Failures of the machine as sentences: no room, no permission, no memory, names that are no text.

They can come from any line of a command. `explained` is called once, at a command's end.
"""

from __future__ import annotations

import errno
import os

from cut.base.errors import UserError, quoted

# What to do, where there is more to say than the system's own words.
ADVICE = {
    errno.ENOSPC: "free some room and run the same command again; what was whole is still there",
    errno.EDQUOT: "free some of your quota and run the same command again",
    errno.EROFS: "give a folder that can be written to",
    errno.EACCES: "give yourself permission, or another folder",
    errno.EPERM: "give yourself permission, or another folder",
    errno.ENOENT: "check the name, or make it again",
    errno.EMFILE: "raise the limit with ulimit -n",
    errno.ELOOP: "remove the link that leads to itself",
    errno.ENAMETOOLONG: "give shorter names",
    errno.EIO: "the disk or its connection fails: check it before you run the command again",
    errno.ESTALE: "the file system of another machine has lost the file; run the command again",
}
MEMORY = (
    "use a smaller batch (batch_size of the training, translate_batch_size or --batch-size),"
    " smaller images (size, load_size), narrower networks (ngf, ndf), fewer workers, or"
    " cache_images: false"
)
# How torch and its allocators begin to say that there is no memory; the types are RuntimeError.
NO_MEMORY = (
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "out of memory",
    "could not create a primitive",  # oneDNN, whose workspace does not fit
    "std::bad_alloc",
    "can't start new thread",
    "CUBLAS_STATUS_ALLOC_FAILED",
)
# How torch says that it could not write; it hides the reason of the system.
NOT_WRITTEN = ("PytorchStreamWriter", "inline_container.cc", "unexpected pos")


def explained(error: BaseException) -> UserError | None:
    """Return a failure of the machine or of the input as one sentence, or None for any other.

    An error of the code itself is None: its traceback is needed.
    """
    if isinstance(error, UserError):
        return error
    if isinstance(error, OSError):
        return UserError(_system(error))
    if out_of_memory(error):
        return UserError(f"there is not enough memory ({first_line(error)}); {MEMORY}")
    if isinstance(error, RuntimeError) and unwritten(error):
        return UserError(
            f"a file could not be written ({first_line(error)}); free some room and run the same"
            " command again"
        )
    if isinstance(error, UnicodeError):
        return UserError(_no_text(error))
    if isinstance(error, RecursionError):
        return UserError("the input is nested too deeply; check the file that was given")
    if type(error).__name__ in ("BrokenProcessPool", "BrokenThreadPool"):
        return UserError(
            "a process of this command was killed, most likely for lack of memory; run it again"
            " with fewer processes"
        )
    return None


def out_of_memory(error: BaseException) -> bool:
    """Return whether Python, NumPy or torch had no memory left, without importing torch."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(words.lower() in text for words in NO_MEMORY)


def _system(error: OSError) -> str:
    """Return the sentence of a failed call of the system, with the path where it is known."""
    words = (error.strerror or str(error) or type(error).__name__).lower()
    names = [
        os.fsdecode(n) for n in (error.filename, error.filename2) if isinstance(n, str | bytes)
    ]
    place = " and ".join(name if name.isprintable() else repr(name) for name in names)
    advice = ADVICE.get(error.errno, "check the file and run the same command again")
    return f"{place or 'a file'} can't be read or written: {words}; {advice}"


def _no_text(error: UnicodeError) -> str:
    given = quoted(error.object) if hasattr(error, "object") else str(error)
    return (
        f"a name or a file is not text in UTF-8: {given}; rename the file, or save it again as"
        " UTF-8"
    )


def unwritten(error: RuntimeError) -> bool:
    """Return whether torch failed to write a file."""
    return any(words in str(error) for words in NOT_WRITTEN)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, for a sentence."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
