"""The one error of settings."""


class SettingsError(Exception):
    """Settings are wrong; `str(error)` is one line that names every wrong one and shows no secret."""

    code = "bad_settings"

    @classmethod
    def about(cls, name: str, problem: str) -> "SettingsError":
        """The error for one setting, for what only a service can judge (a rule's text, a file's content)."""
        return cls(f"{name}: {problem}")
