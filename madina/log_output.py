"""Events as JSON lines on standard error: what a role says, whoever started it."""

import logging
import sys

import msgspec
import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, WrappedLogger

__all__ = ["log_to_stderr"]


def log_to_stderr(role: str, level: int = logging.INFO) -> None:
    """Set logging up for this process; every line names its role.

    Args:
        role: What this process is.
        level: Least level that is written.
    """

    def name_role(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Not a context variable: those do not reach threads that were there before."""
        return {**event, "role": role}

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            name_role,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            # Without local variables: those hold payloads and secrets.
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(serializer=_encode),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    # Libraries that log the standard way are heard from where something went wrong.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")


def _encode(event: object, **_options: object) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()
