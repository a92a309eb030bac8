"""The endpoint: a server on this machine that AWS's clients take for Kinesis."""

from __future__ import annotations

from shardstream import _core

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

__all__ = ["Server"]


class Server(_core.Server):
    """A server that answers until it is stopped; a context manager that stops it.

    Attributes:
        url: Where it answers, for `endpoint_url`.
        port: The port it listens on.
        certificate: Its certificate in PEM, where connections are encrypted, for clients to trust.
    """

    def __enter__(self) -> Self:
        """Use the server in a with statement, which stops it."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self.stop()

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse: a server is in one process."""
        from shardstream import _descriptors

        _descriptors.refuse("a server", "it listens in this process", "give other processes its url")

    def __repr__(self) -> str:
        """Say where it answers."""
        return f"Server({self.url!r})"
