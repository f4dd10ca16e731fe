"""`python -m deploy.settings_page`: write docs/settings.md, every setting of every service, from the settings classes."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import AnyHttpUrl, SecretStr
from pydantic.fields import FieldInfo

from shared.settings import SharedSettings, variable_name

SERVICES = ("ingest", "sentiment", "metrics", "gateway")
PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
INTRODUCTION = """\
# Settings

Written by `python -m deploy.settings_page` from the classes in `services/*/settings.py`; a test compares them. Don't edit.

Settings are environment variables, read and validated when a service starts. An invalid one stops the service with its name and
the reason. Secrets are never logged. The only files are those that settings name: passwords, tokens and certificates for Kafka
and PostgreSQL.
"""
RULES = {
    Ge: ("ge", "≥ {}"),
    Gt: ("gt", "> {}"),
    Le: ("le", "≤ {}"),
    Lt: ("lt", "< {}"),
    MinLen: ("min_length", "at least {} characters"),
    MaxLen: ("max_length", "at most {} characters"),
}
"""Constraint → the attribute with its bound, and its text."""
KINDS = {
    str: "text",
    SecretStr: "secret",
    int: "whole number",
    float: "number",
    bool: "true or false",
    AnyHttpUrl: "URL",
    Path: "path of a file",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """An environment variable of a service."""

    name: str
    kind: str
    bounds: str
    default: str | None
    meaning: str

    @property
    def required(self) -> bool:
        """Whether the setting has no default."""
        return self.default is None


def settings_class(service: str) -> type[SharedSettings]:
    """The settings class of a service."""
    cls: type[SharedSettings] = importlib.import_module(f"services.{service}.settings").Settings
    return cls


def settings_of(service: str) -> list[Setting]:
    """The settings of a service, including shared ones, in the order of the class."""
    cls = settings_class(service)
    return [_setting(variable_name(cls, name), field) for name, field in cls.model_fields.items()]


def page() -> str:
    """The content of the page: the settings of all services, those of several, then those of each."""
    services: dict[str, list[str]] = {}
    settings: dict[str, Setting] = {}
    for service in SERVICES:
        for setting in settings_of(service):
            services.setdefault(setting.name, []).append(service)
            settings[setting.name] = setting
    sections: dict[str, list[Setting]] = {title(users): [] for users in sorted(services.values(), key=len, reverse=True)}
    for name, users in services.items():
        sections[title(users)].append(settings[name])
    return "\n".join([INTRODUCTION, *(_section(users, rows) for users, rows in sections.items())])


def title(services: Sequence[str]) -> str:
    """The title of the section of settings that these services have."""
    if len(services) == len(SERVICES):
        return "All services"
    return ", ".join(services[:-1]) + " and " + services[-1] if len(services) > 1 else services[0]


def _section(title: str, settings: list[Setting]) -> str:
    rows = [
        f"| `{s.name}` | {', '.join(part for part in (s.kind, s.bounds) if part)} "
        f"| {'**required**' if s.default is None else f'`{s.default}`'} | {s.meaning} |"
        for s in settings
    ]
    return "\n".join([f"## {title}", "", "| variable | value | default | meaning |", "| --- | --- | --- | --- |", *rows, ""])


def _setting(variable: str, field: FieldInfo) -> Setting:
    default = None if field.is_required() else _default(field.get_default(call_default_factory=True))
    meaning = (field.description or "").replace("|", "\\|")
    return Setting(variable, _kind(field.annotation), _bounds(field.metadata), default, meaning)


def _default(value: Any) -> str:
    match value:
        case SecretStr():
            return "(a secret)"
        case bool():
            return str(value).lower()
        case None | "":
            return "(none)"
        case _:
            return str(value).rstrip("/") if hasattr(value, "scheme") else str(value)


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Annotated:
        return _kind(get_args(annotation)[0])
    if annotation in KINDS:
        return KINDS[annotation]
    if options := [option for option in get_args(annotation) if option is not type(None)]:
        return " or ".join(_kind(option) if isinstance(option, type) or get_args(option) else f"`{option}`" for option in options)
    return getattr(annotation, "__name__", str(annotation))


def _bounds(metadata: list[Any]) -> str:
    known = [(rule, *RULES[type(rule)]) for rule in metadata if type(rule) in RULES]
    return ", ".join(words.format(getattr(rule, attribute)) for rule, attribute, words in known)


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())
