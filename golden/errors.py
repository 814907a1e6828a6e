"""The one exception for a configuration that cannot be built."""


class ConfigError(ValueError):
    """A configuration that cannot be built, in one sentence: the field, the rule and the value."""


def require(condition: bool, message: str) -> None:
    """Raise :class:`ConfigError` with ``message`` unless ``condition`` holds."""
    if not condition:
        raise ConfigError(message)


def require_whole(name: str, value: object, low: int, high: int) -> None:
    """Raise :class:`ConfigError` unless ``value`` is a whole number from ``low`` to ``high``."""
    require(
        isinstance(value, int) and not isinstance(value, bool) and low <= value <= high,
        f"{name} must be a whole number from {low} to {high}, not {as_text(value)}",
    )


def as_text(value: object) -> str:
    """A value in a sentence; Python writes no whole number of some thousand digits."""
    try:
        return repr(value)
    except ValueError:
        return "one of more digits than can be written"
