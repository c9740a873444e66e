"""The bearer token of our queue-service's clients: a text, or the present content of a file that is rotated."""

from leadline.runtime.settings.access_parts import QueueClientPart
from leadline.runtime.watched_file import WatchedFile


class TokenSource:
    """Knows the token to show now. For one event loop; printing it shows no token."""

    def __init__(self, token: str, file: WatchedFile | None = None) -> None:
        """`token` never changes without a `file`."""
        self._token = token
        self._file = file

    def token(self) -> str:
        """The token to show."""
        return self._token if self._file is None else self._file.text()

    def another_than(self, refused: str) -> str | None:
        """The token to show instead of one that was just refused; None if there is no other."""
        found = self._token if self._file is None else self._file.look()
        return found if found != refused else None


def token_source(part: QueueClientPart) -> TokenSource:
    """The caller's own token, as the settings say."""
    token = part.queue_token.get_secret_value()
    if part.queue_token_file is None:
        return TokenSource(token)
    return TokenSource(token, WatchedFile(part.queue_token_file, text=token))
