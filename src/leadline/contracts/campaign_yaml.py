"""Reads the campaigns file: strict YAML, one line for whatever is wrong with it."""

from pathlib import Path
from typing import Any, Final

import yaml

from leadline.contracts.campaign_file import CampaignsError

_MOST_CAMPAIGNS: Final = 500
_MOST_FILE_BYTES: Final = 4 * 1024 * 1024


class _StrictLoader(yaml.SafeLoader):
    """YAML that refuses a key given twice in one mapping: the first value would be lost without a word."""

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002 -- PyYAML's signature
    ) -> dict[Any, Any]:
        """As the parent, after a look at the keys."""
        seen: set[str] = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode) and key_node.tag != "tag:yaml.org,2002:merge":
                if key_node.value in seen:
                    problem = f"{key_node.value!r} stands there twice"
                    raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
                seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def read_campaigns_file(path: Path) -> list[dict[str, Any]]:
    """The mappings of the file, one for each campaign; their keys are not checked yet. Raises CampaignsError."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_FILE_BYTES + 1)
        if len(content) > _MOST_FILE_BYTES:
            raise CampaignsError(f"{path}: larger than {_MOST_FILE_BYTES} bytes")
        document = yaml.load(content, Loader=_StrictLoader)  # noqa: S506 -- a SafeLoader, made stricter
    except OSError as error:
        raise CampaignsError(f"{path}: cannot be read: {error.strerror or error}") from None
    except yaml.YAMLError as error:
        raise CampaignsError(f"{path}{_yaml_problem(error)}") from None
    except (ValueError, RecursionError, TypeError) as error:
        raise CampaignsError(f"{path}: is no YAML file of campaigns: {' '.join(str(error).split())}") from None
    return _items(document, path)


def _yaml_problem(error: yaml.YAMLError) -> str:
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    problem = error.problem if isinstance(error, yaml.MarkedYAMLError) else str(error)
    where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{where}: {' '.join((problem or 'is no YAML').split())}"


def _items(document: object, path: Path) -> list[dict[str, Any]]:
    listed = document.get("campaigns") if isinstance(document, dict) and document.keys() == {"campaigns"} else document
    if not isinstance(listed, list):
        raise CampaignsError(f"{path}: must be a list of campaigns, or the one key `campaigns` with that list")
    if len(listed) > _MOST_CAMPAIGNS:
        raise CampaignsError(f"{path}: more than {_MOST_CAMPAIGNS} campaigns")
    for number, item in enumerate(listed, start=1):
        if not isinstance(item, dict) or not all(isinstance(key, str) for key in item):
            problem = "must be a mapping of keys to values (quote keys like yes and no)"
            raise CampaignsError(f"{path}: campaign number {number}: {problem}")
        if "name" not in item:
            raise CampaignsError(f"{path}: campaign number {number}, name: is missing")
    return listed
