"""The one error of `leadline up`."""

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_REFUSED = 2
EXIT_INTERRUPTED = 130


class UpError(Exception):
    """`leadline up` cannot start, or cannot go on. `str(error)` is one line that says why and what to do."""

    exit_code = EXIT_FAILED


class UpRefused(UpError):
    """What was asked for is not to be had: options, settings, this folder."""

    exit_code = EXIT_REFUSED
