"""Handlers attach in their order, and disabled ones not at all."""

from ignite.engine import Engine, Events

from scripts.handlers.handler_group import HandlerGroup


class Says:
    def __init__(self, word, said):
        self.word, self.said = word, said

    def attach(self, engine):
        engine.add_event_handler(Events.STARTED, lambda _: self.said.append(self.word))


def test_handlers_attach_in_their_order_less_the_disabled():
    said = []
    engine = Engine(lambda engine, batch: None)
    HandlerGroup([Says("first", said), None, Says("second", said)]).attach(engine)
    engine.run([0])
    assert said == ["first", "second"]
