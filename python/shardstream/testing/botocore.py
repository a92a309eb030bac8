"""AWS's clients for Python, answered by an engine before their requests are sent."""

from __future__ import annotations

from shardstream import _core

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from typing import Any

    from shardstream.engine import Engine

__all__ = ["is_rerouted", "reroute"]

# How long an asynchronous reader of events leaves the loop to others before it looks again.
_LOOK_S = 0.005


def reroute(endpoint: Any, engine: Callable[[], Engine | None]) -> Callable[[], None]:  # noqa: ANN401 - botocore's
    """Answer what goes to an endpoint of botocore, or of aiobotocore, by an engine; returns what undoes it.

    Handlers that others registered for `before-send` are not asked: a mock of all services would answer, too.
    """
    emitter = endpoint._event_emitter  # noqa: SLF001 - where botocore lets requests be answered
    is_aio = type(endpoint).__module__.startswith("aiobotocore")
    endpoint._event_emitter = (_AioEmitter if is_aio else _Emitter)(emitter, engine)  # noqa: SLF001

    def undo() -> None:
        endpoint._event_emitter = emitter  # noqa: SLF001

    return undo


def is_rerouted(endpoint: Any) -> bool:  # noqa: ANN401 - botocore's
    """Whether an engine answers what goes to an endpoint."""
    return isinstance(endpoint._event_emitter, _Emitter)  # noqa: SLF001 - where botocore lets requests be answered


class _Emitter:
    """An emitter of events whose `before-send` is answered by an engine."""

    def __init__(self, emitter: Any, engine: Callable[[], Engine | None]) -> None:  # noqa: ANN401 - botocore's
        self._emitter = emitter
        self._engine = engine

    def __getattr__(self, name: str) -> object:
        return getattr(self._emitter, name)

    def emit(self, event_name: str, **kwargs: Any) -> Any:  # noqa: ANN401 - as botocore has it
        engine = self._engine()
        if engine is not None and event_name.startswith("before-send."):
            return [(self.emit, _answer(engine, kwargs["request"], _response))]
        try:
            responses = self._emitter.emit(event_name, **kwargs)
        except _no_credentials():
            if engine is None:
                raise
            return _signed(kwargs["request"])
        if engine is not None and event_name.startswith("needs-retry."):
            return _without_sleep(engine, responses)
        return responses


class _AioEmitter(_Emitter):
    """The same for aiobotocore, whose emitter is awaited."""

    async def emit(self, event_name: str, **kwargs: Any) -> Any:  # noqa: ANN401 - as botocore has it
        engine = self._engine()
        if engine is not None and event_name.startswith("before-send."):
            return [(self.emit, _answer(engine, kwargs["request"], _aio_response))]
        try:
            responses = await self._emitter.emit(event_name, **kwargs)
        except _no_credentials():
            if engine is None:
                raise
            return _signed(kwargs["request"])
        if engine is not None and event_name.startswith("needs-retry."):
            return _without_sleep(engine, responses)
        return responses


def _no_credentials() -> type[Exception]:
    from botocore.exceptions import NoCredentialsError

    found: type[Exception] = NoCredentialsError
    return found


def _signed(request: Any) -> list[tuple[object, object]]:  # noqa: ANN401 - botocore's
    """Sign for a client that was made without credentials: the engine asks for a signature, not for whose."""
    from botocore.auth import SigV4Auth
    from botocore.credentials import Credentials

    SigV4Auth(Credentials("testing", "testing"), "kinesis", request.context["client_region"]).add_auth(request)
    return []


def _without_sleep(engine: Engine, responses: list[tuple[object, object]]) -> list[tuple[object, object]]:
    """What handlers say of a retry, with the wait before it passed on the engine's clock instead of slept."""
    clock = engine.clock
    if not isinstance(clock, _core.ManualClock):
        return responses
    passed = []
    for handler, response in responses:
        seconds = response
        if isinstance(seconds, (int, float)) and not isinstance(seconds, bool):
            if not clock.is_held:
                clock.advance_ms(round(seconds * 1000))
            seconds = 0
        passed.append((handler, seconds))
    return passed


def _answer(engine: Engine, request: Any, response: Callable[..., object]) -> object:  # noqa: ANN401 - botocore's
    from urllib.parse import urlsplit

    url = urlsplit(request.url)
    headers = [(str(name), _bytes(value)) for name, value in request.headers.items()]
    if not any(name.lower() == "host" for name, _ in headers):
        headers.append(("host", url.netloc.encode()))
    target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    endpoint = _core.Endpoint(engine._core)  # noqa: SLF001 - the native engine, which the face wraps
    answered = endpoint.respond(request.method, target, headers, _body(request.body))
    if answered is None:
        from botocore.exceptions import ConnectionClosedError

        raise ConnectionClosedError(request=request, endpoint_url=request.url)
    status, answer_headers, body = answered
    return response(request.url, status, dict(answer_headers), body)


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _body(body: object) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytes, bytearray)):
        return bytes(body)
    read: Callable[[], bytes] = body.read  # type: ignore[attr-defined]
    return read()


def _response(url: str, status: int, headers: dict[str, str], body: bytes | _core.Frames) -> object:
    from botocore.awsrequest import AWSResponse

    return AWSResponse(url, status, headers, _Raw(body))


def _aio_response(url: str, status: int, headers: dict[str, str], body: bytes | _core.Frames) -> object:
    from aiobotocore.awsrequest import AioAWSResponse

    return AioAWSResponse(url, status, headers, _AioRaw(body))


class _Raw:
    """A body as urllib3 hands it out."""

    def __init__(self, body: bytes | _core.Frames) -> None:
        self._body = body

    def stream(self, amt: int | None = None, decode_content: bool | None = None) -> Iterator[bytes]:  # noqa: ARG002, FBT001 - as urllib3 has it
        if isinstance(self._body, bytes):
            yield self._body
            return
        while (frame := self._body.next(wait=True)) is not None:
            if isinstance(frame, bool):
                raise _broken()
            yield frame

    def read(self, amt: int | None = None, **_: object) -> bytes:  # noqa: ARG002 - as urllib3 has it
        return b"".join(self.stream())

    def close(self) -> None:
        if not isinstance(self._body, bytes):
            self._body.close()


def _broken() -> Exception:
    from urllib3.exceptions import ProtocolError

    return ProtocolError("Connection broken: the subscription was dropped")


def _aio_broken() -> Exception:
    from aiohttp import ClientPayloadError

    error: Exception = ClientPayloadError("Response payload is not completed: the subscription was dropped")
    return error


class _AioRaw:
    """A body as aiohttp hands it out."""

    def __init__(self, body: bytes | _core.Frames) -> None:
        self._body = body
        self.content = self
        self.raw_headers: tuple[object, ...] = ()

    async def read(self, amt: int | None = None) -> bytes:  # noqa: ARG002 - as aiohttp has it
        return b"".join([chunk async for chunk, _ in self.iter_chunks()])

    async def iter_chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        import asyncio

        if isinstance(self._body, bytes):
            yield self._body, True
            return
        while (frame := self._body.next(wait=False)) is not None:
            if frame is True:
                await asyncio.sleep(_LOOK_S)
            elif isinstance(frame, bool):
                raise _aio_broken()
            else:
                yield frame, True

    def close(self) -> None:
        if not isinstance(self._body, bytes):
            self._body.close()
