"""Keeps the beginning of the bodies of one request and its answer, beside their way through."""

from ks_apigateway.proxy.headers import Fields

_JSON = (b"application/json", b"application/merge-patch+json", b"application/apply-patch+json")


class Tap:
    """Copies JSON bodies of at most `limit` bytes; what is longer, encoded or no JSON is not kept."""

    __slots__ = ("_answer", "_limit", "_request", "truncated")

    def __init__(self, limit: int, *, request: bool, answer: bool) -> None:
        self._limit = limit
        self._request = bytearray() if request else None
        self._answer = bytearray() if answer else None
        self.truncated = False

    @property
    def request(self) -> bytes:
        """The body of the request; empty where none was kept."""
        return bytes(self._request or b"")

    @property
    def answer(self) -> bytes:
        """The body of the answer; empty where none was kept."""
        return bytes(self._answer or b"")

    def request_data(self, data: bytes) -> None:
        """A piece of the request's body has come."""
        self._request = self._kept(self._request, data)

    def answer_head(self, fields: Fields) -> None:
        """The answer begins."""
        if not is_plain_json(fields):
            self._answer = None

    def answer_lines(self, lines: bytes) -> None:
        """The answer begins, its headers as they go to the client."""
        pairs = (line.partition(b":") for line in lines.split(b"\r\n") if line)
        self.answer_head([(name.lower(), value.strip()) for name, _, value in pairs])

    def answer_data(self, data: bytes) -> None:
        """A piece of the answer's body has come."""
        self._answer = self._kept(self._answer, data)

    def _kept(self, kept: bytearray | None, data: bytes) -> bytearray | None:
        if kept is None:
            return None
        if len(kept) + len(data) > self._limit:
            self.truncated = True
            return None
        kept += data
        return kept


def is_plain_json(fields: Fields) -> bool:
    """Whether a body with these headers is JSON that nothing has compressed."""
    headers = dict(fields)
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    return kind in _JSON and headers.get(b"content-encoding", b"identity").lower() == b"identity"
