"""Text as users give it: names of streams, shards and columns."""

from __future__ import annotations

from shardstream.errors import SerializationException

__all__ = ["checked"]


def checked(value: object, name: str) -> str:
    r"""The value, if it is text that UTF-8 can carry.

    Args:
        value: What was given.
        name: What it is, for the error.

    Raises:
        SerializationException: It is no text, or text with half a character in it, like `"\ud800"`.
    """
    if not isinstance(value, str):
        message = f"{name} is text, not {type(value).__name__} {value!r}"
        raise SerializationException(message)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            message = f"{name}: text that UTF-8 can carry, not {value!r}: {error.reason}"
            raise SerializationException(message) from error
    return value
