"""Error texts that mean the number itself is no good, and those that only look like it."""

import re
from typing import Final

_NUMBER: Final = r"(?:number|destination|user|subscriber|called party|callee|address)"

_BAD: Final = re.compile(
    "|".join(
        (
            rf"\b{_NUMBER}\b[^.;]{{0,60}}\b(?:not|cannot be|could not be|couldn't be) found\b",
            r"^\W*(?:sip)?\W*(?:404)?\W*not found\W*$",
            r"\b(?:sip|code|status|error|response)\W{0,3}(?:404|410|604)\b",
            r"\b(?:404|604)\W{1,3}(?:not found|does not exist)\b",
            r"\b(?:not in|no longer in|out of) service\b",
            r"\bun(?:allocated|assigned)\b",
            r"\bnot (?:allocated|assigned|in use)\b",
            rf"\b(?:invalid|malformed|non-?existent|non-?working)\b[^.;]{{0,30}}\b{_NUMBER}\b",
            rf"\b{_NUMBER}\b[^.;]{{0,60}}\b(?:invalid|incorrect|malformed|does not exist|doesn't exist)\b",
            rf"\bnot an? (?:valid|working)\b[^.;]{{0,30}}\b{_NUMBER}\b",
            r"^\W*disconnected\W*$",
            r"\b(?:number|service|line you (?:dialed|called))\b[^.;]{0,60}\bdisconnected\b",
            r"\bdisconnected (?:number|line|service)\b",
            r"\bnumber (?:has )?(?:been )?changed\b",
            r"\bblacklisted\b",
        )
    )
)

_ONLY_LOOKS_LIKE_IT: Final = re.compile(
    r"\btemporar|\bcaller[ _-]?id\b|\bfrom\b[`'\"]?[ _-]?(?:phone[ _-]?)?number|\boutbound number\b|\bpathway\b"
)
"""It will pass, or the complaint is about our own caller id or configuration."""

_DNC: Final = re.compile(r"\bdnc\b|\bdo[ -]not[ -]call\b")


def is_bad_number(error: str) -> bool:
    """Whether a provider's error text says that the number called works neither now nor later."""
    text = error.casefold()
    return _BAD.search(text) is not None and _ONLY_LOOKS_LIKE_IT.search(text) is None


def is_do_not_call(error: str) -> bool:
    """Whether a provider's error text says that the number is on a do-not-call list."""
    return _DNC.search(error.casefold()) is not None
