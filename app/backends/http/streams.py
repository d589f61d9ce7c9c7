"""One connection in HTTP/2 with all its streams: https://www.rfc-editor.org/rfc/rfc9113.

The h2 package keeps the protocol's state; here are its bytes and who waits for what. One task reads for all streams.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

Fields = list[tuple[bytes, bytes]]

_MOST_STREAMS = 100
_STREAM_WINDOW = 1024 * 1024
_CONNECTION_WINDOW = 16 * 1024 * 1024
_MOST_HEADER_BYTES = 64 * 1024
_MOST_FRAME = 1024 * 1024
_HEAD = 9
_GOAWAY = 7


class Stream:
    """One request and its answer, as far as they have come."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.head: Fields | None = None
        self.pieces: list[bytes] = []
        self.unread = 0
        """Bytes of the peer's allowance that were used and are not given back yet."""
        self.ended = False
        self.failed = False
        self.untouched = False
        """The peer said that it has not looked at the request, so it may be sent again."""
        self.changed = asyncio.Event()


class StreamConnection:
    """A connection that is open. All its calls are made in the loop that opened it.

    Args:
        reader: of a connection on which HTTP/2 was agreed.
        writer: of the same.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._state = h2.connection.H2Connection()
        self._state.local_settings = h2.settings.Settings(
            client=True,
            initial_values={
                h2.settings.SettingCodes.ENABLE_PUSH: 0,
                h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: _MOST_STREAMS,
                h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
                h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: _MOST_HEADER_BYTES,
            },
        )
        self._streams: dict[int, Stream] = {}
        self._partial = b""
        self._leaving = False
        self.lost = False
        self.used_at = asyncio.get_running_loop().time()
        self._state.initiate_connection()
        self._state.increment_flow_control_window(_CONNECTION_WINDOW)
        self._flush()
        self._listening = asyncio.create_task(self._listen(), name="HTTP/2 connection")

    @property
    def idle(self) -> bool:
        """Whether nothing is asked at the moment."""
        return not self._streams

    @property
    def has_room(self) -> bool:
        """Whether one more may be asked now."""
        most = min(_MOST_STREAMS, self._state.remote_settings.max_concurrent_streams)
        return not self._leaving and not self.lost and len(self._streams) < most

    @property
    def over(self) -> bool:
        """Whether it is of no more use: lost, or the peer wants no more requests and all are answered."""
        return self.lost or (self._leaving and not self._streams)

    def begin(self, fields: Fields, *, with_body: bool) -> Stream:
        """Sends the head of a request; only where ``has_room``."""
        stream = Stream(self._state.get_next_available_stream_id())
        self._state.send_headers(stream.number, fields, end_stream=not with_body)
        self._streams[stream.number] = stream
        self._flush()
        return stream

    async def upload(self, stream: Stream, body: bytes) -> None:
        """Sends a request's body, as fast as the peer allows. Stops when the peer has answered or ended it already."""
        rest = memoryview(body)
        while rest and not (stream.ended or stream.failed):
            room = min(self._state.local_flow_control_window(stream.number), self._state.max_outbound_frame_size)
            if room <= 0:
                stream.changed.clear()
                await stream.changed.wait()
                continue
            self._state.send_data(stream.number, bytes(rest[:room]), end_stream=room >= len(rest))
            rest = rest[room:]
            self._flush()
            if self._writer.transport.get_write_buffer_size() > _STREAM_WINDOW:
                await self._writer.drain()

    def take(self, stream: Stream) -> bytes:
        """What has come of the body; the peer may send as much again."""
        data = b"".join(stream.pieces)
        stream.pieces.clear()
        self._give_back(stream)
        return data

    def close(self, stream: Stream) -> None:
        """Ends a stream; tells the peer when it is not through yet. Safe to call twice."""
        if self._streams.pop(stream.number, None) is None:
            return
        self.used_at = asyncio.get_running_loop().time()
        if self.lost:
            return
        self._give_back(stream)
        if not (stream.ended or stream.failed):
            with contextlib.suppress(h2.exceptions.StreamClosedError):  # the peer was quicker
                self._state.reset_stream(stream.number, error_code=h2.errors.ErrorCodes.CANCEL)
            self._flush()

    async def aclose(self) -> None:
        """Closes it at once. Safe to call twice."""
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        self._lose()

    def abandon(self) -> None:
        """Closes it without waiting for that."""
        self._listening.cancel()
        self._lose()

    # Inside

    async def _listen(self) -> None:
        # Whatever ends it, the streams are told that the connection is lost, and whoever asked says so.
        try:
            with contextlib.suppress(OSError, h2.exceptions.H2Error, ValueError):
                while data := await self._reader.read(_STREAM_WINDOW):
                    for event in self._state.receive_data(self._without_farewells(data)):
                        self._happened(event)
                    self._flush()
        finally:
            self._lose()

    def _without_farewells(self, data: bytes) -> bytes:
        """Frames that are whole, but for GOAWAY: h2 takes that for the end, while streams that run may go on."""
        self._partial += data
        whole: list[bytes] = []
        for begin, end in self._frames():
            if self._partial[begin + 3] == _GOAWAY:
                self._leave(int.from_bytes(self._partial[begin + _HEAD : begin + _HEAD + 4]) & 0x7FFFFFFF)
            else:
                whole.append(self._partial[begin:end])
        self._partial = self._partial[self._end :]
        return b"".join(whole)

    def _frames(self) -> Iterator[tuple[int, int]]:
        self._end = 0
        while len(self._partial) - self._end >= _HEAD:
            size = int.from_bytes(self._partial[self._end : self._end + 3])
            if size > _MOST_FRAME:
                raise ValueError("a frame is longer than was allowed")
            end = self._end + _HEAD + size
            if len(self._partial) < end:
                return
            begin, self._end = self._end, end
            yield begin, end

    def _leave(self, last: int) -> None:
        """The peer takes no more requests; those after ``last`` it has not looked at."""
        self._leaving = True
        for stream in self._streams.values():
            if stream.number > last:
                stream.failed = stream.untouched = True
            stream.changed.set()

    def _happened(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.DataReceived):
            stream = self._streams.get(event.stream_id or 0)
            if stream is None:
                # Of a stream that nobody reads: only the allowance of the connection is to be given back.
                self._state.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
                return
            if event.data:
                stream.pieces.append(event.data)
            stream.unread += event.flow_controlled_length or 0
        elif isinstance(event, h2.events.RemoteSettingsChanged) or not getattr(event, "stream_id", 0):
            for stream in self._streams.values():
                stream.changed.set()  # There may be room for more of a body now.
            return
        else:
            stream = self._streams.get(event.stream_id)  # type: ignore[attr-defined]
            if stream is None:
                return
            if isinstance(event, h2.events.ResponseReceived):
                stream.head = [(bytes(name), bytes(value)) for name, value in event.headers or ()]
            elif isinstance(event, h2.events.StreamEnded):
                stream.ended = True
            elif isinstance(event, h2.events.StreamReset):
                # A peer that has answered in full may refuse the rest of a request.
                stream.failed = not stream.ended
                stream.untouched = event.error_code == h2.errors.ErrorCodes.REFUSED_STREAM
        stream.changed.set()

    def _give_back(self, stream: Stream) -> None:
        counted, stream.unread = stream.unread, 0
        if counted and not self.lost:
            self._state.acknowledge_received_data(counted, stream.number)
            self._flush()

    def _flush(self) -> None:
        data = self._state.data_to_send()
        if data and not self._writer.is_closing():
            self._writer.write(data)

    def _lose(self) -> None:
        self.lost = True
        for stream in self._streams.values():
            stream.failed = stream.failed or not stream.ended
            stream.changed.set()
        self._writer.transport.abort()
