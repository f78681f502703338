"""Log lines on standard error, JSON or text, each with the identifier of the request it belongs to."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp.http_exceptions import HttpProcessingError

from servicekit import context
from servicekit.sections import LogConfig

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, requestId, and what `extra` adds."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := context.request_id.get():
            line["requestId"] = request_id
        line.update((key, value) for key, value in vars(record).items() if key not in _STANDARD)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class TextFormatter(logging.Formatter):
    """The same for people."""

    def format(self, record: logging.LogRecord) -> str:
        extra = " ".join(f"{key}={value}" for key, value in vars(record).items() if key not in _STANDARD)
        request_id = context.request_id.get()
        parts = (
            _time(record),
            record.levelname.lower(),
            record.name,
            _one_line(record.getMessage()),
            _one_line(extra),
            f"requestId={request_id}" if request_id else "",
        )
        line = " ".join(part for part in parts if part)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _time(record: logging.LogRecord) -> str:
    return (
        datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def _one_line(text: str) -> str:
    """Without line breaks, so that nobody's input makes lines of its own in the log."""
    return (
        text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        if "\n" in text or "\r" in text
        else text
    )


class _MalformedRequests(logging.Filter):
    """Makes one modest line of what aiohttp logs as an error with a traceback: anybody can send nonsense."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.msg, record.args = "refused a malformed request: %s", (" ".join(str(error).split())[:200],)
            record.exc_info = None
        return record.levelno >= logging.getLogger().level


def configure(config: LogConfig) -> None:
    """Sends everything that is logged in this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if config.format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    logging.getLogger("aiohttp.server").filters[:] = [_MalformedRequests()]
    root.setLevel(config.level.upper())
    logging.captureWarnings(True)
    logging.raiseExceptions = False


def writes_json() -> bool:
    """Whether `configure` was told to write JSON."""
    return any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers)
