"""Handlers that have names of their own in a configuration."""

from collections.abc import Iterable

from ignite.engine import Engine

__all__ = ["HandlerGroup"]


class HandlerGroup:
    """Attach handlers in their order, less those that are disabled.

    In a configuration, a handler with a name can be overridden and referred to wherever it stands in the order. MONAI's
    check of a bundle's properties fails on a list of handlers that are references; it accepts a group.

    Args:
        handlers: with `attach`; None for a handler that is `_disabled_`.
    """

    def __init__(self, handlers: Iterable) -> None:
        self.handlers = [handler for handler in handlers if handler is not None]

    def attach(self, engine: Engine) -> None:
        """Attach all to an engine."""
        for handler in self.handlers:
            handler.attach(engine)
