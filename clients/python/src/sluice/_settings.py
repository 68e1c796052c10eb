"""Settings: an argument goes before the environment, and the environment before the default."""

from __future__ import annotations

import math
from typing import Mapping, NamedTuple, Optional

from ._gateway import POST_TIMEOUT_S, Gateway, GatewayUrlError

KIB = 1_024
MIB = 1_048_576

_TRUE = frozenset(("true", "1", "yes", "on"))
_FALSE = frozenset(("false", "0", "no", "off"))
_MIN_PEPPER_CHARS = 16


class SettingsError(ValueError):
    """Settings are out of their range. The message names all of them, and shows no secret."""


class ObserverSettings(NamedTuple):
    """What can change while an observer runs."""

    #: False: nothing is stored, not even failures; the metrics go on
    enabled: bool
    #: the share of ok runs to keep, 0 to 1; failures are always kept
    sample_rate: float
    #: entries of a trace to keep; 0 or less keeps all
    trace_limit: int


class Reader:
    """Reads settings, and collects what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._problems: list[str] = []

    def text(self, argument: Optional[str], name: str) -> str | None:
        value = argument if argument is not None else self._environment.get(name, "").strip()
        if value is not None and not isinstance(value, str):
            self._problems.append(f"{name} is no text")
            return None
        return value or None

    def flag(self, argument: Optional[bool], name: str, default: bool) -> bool:
        if argument is not None:
            return bool(argument)
        text = self._environment.get(name, "").strip().lower()
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        if text:
            self._problems.append(f"{name} is no truth value; accepted: true or false")
        return default

    def integer(self, argument: Optional[int], name: str, default: int, least: int, most: int) -> int:
        number = self.number(argument, name, default, least, most)
        if number != int(number):
            self._problems.append(f"{name} is {number:g}; accepted: a whole number")
        return int(number)

    def number(self, argument: Optional[float], name: str, default: float, least: float, most: float) -> float:
        value: object = argument
        if value is None:
            value = self._environment.get(name, "").strip() or default
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            self._problems.append(f"{name} is no number; accepted: {least:g} to {most:g}")
            return default
        if not (math.isfinite(number) and least <= number <= most):
            self._problems.append(f"{name} is {number:g}; accepted: {least:g} to {most:g}")
            return default
        return number

    def pepper(self, argument: Optional[str], name: str) -> str | None:
        value = argument if argument is not None else self._environment.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or len(value) < _MIN_PEPPER_CHARS:
            # Never show it: it is a secret even if it is invalid.
            self._problems.append(f"{name} is too short; accepted: at least {_MIN_PEPPER_CHARS} characters")
            return None
        return value

    def gateway(self, url: Optional[str], token: Optional[str], timeout_s: Optional[float]) -> Gateway | None:
        """Return the gateway; None if there is no URL."""
        if url is not None and not isinstance(url, str):
            self._problems.append("gateway_url is no text; give the URL of the gateway, in place of a repository")
            return None
        address = self.text(url, "SLUICE_GATEWAY_URL")
        post_timeout_s = self.number(timeout_s, "SLUICE_GATEWAY_TIMEOUT_S", POST_TIMEOUT_S, 0.1, 600)
        secret = self.text(token, "SLUICE_GATEWAY_TOKEN")
        if secret is not None and not (secret.isascii() and secret.isprintable() and " " not in secret):
            self._problems.append("SLUICE_GATEWAY_TOKEN contains white space, or characters that no token has")
            secret = None
        if address is None:
            return None
        try:
            return Gateway(address, secret, timeout_s=post_timeout_s)
        except GatewayUrlError as error:
            self._problems.append(f"SLUICE_GATEWAY_URL: {error}")
            return None

    def check(self) -> None:
        """:raises SettingsError: with all problems at once"""
        if self._problems:
            raise SettingsError("; ".join(self._problems))


def read_observer(
    reader: Reader, enabled: Optional[bool], sample_rate: Optional[float], trace_limit: Optional[int]
) -> ObserverSettings:
    return ObserverSettings(
        reader.flag(enabled, "DSL_EXECUTION_LOG_ENABLED", True),
        reader.number(sample_rate, "DSL_EXECUTION_LOG_SAMPLE_RATE", 0.05, 0, 1),
        reader.integer(trace_limit, "DSL_EXECUTION_LOG_TRACE_LIMIT", 200, -MIB, 1_000_000),
    )


def read_exit_timeout(reader: Reader, exit_timeout_s: Optional[float]) -> float:
    return reader.number(exit_timeout_s, "SLUICE_EXIT_TIMEOUT_S", 5, 0, 600)
