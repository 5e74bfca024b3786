"""An answer that was written in time, and a reader that had no CPU to read it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from exabgp_k8s.errors import Unanswered
from tests.agent import exchange
from tests.agent.exchange import Exchange


async def asked_for_the_neighbors(between: Exchange) -> None:
    between.answer(exchange.FIRST_WORD)
    assert await between.question() == b"show neighbor json\n"


def test_an_answer_that_waits_in_the_pipe_is_not_late(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with exchange.running(tmp_path) as (between, task):
            await asked_for_the_neighbors(between)
            await asyncio.to_thread(between.answer_to_a_starved_reader, b"[]\ndone\n")

            asked = asyncio.create_task(between.question())
            await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
            assert not task.done()
            assert await asked == b"show adj-rib out json\n"

    asyncio.run(scenario())


def test_an_answer_that_was_never_written_is_late(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with exchange.running(tmp_path) as (between, task):
            await asked_for_the_neighbors(between)
            with pytest.raises(ExceptionGroup) as caught:
                await task
            assert caught.group_contains(Unanswered, match="no answer to ShowNeighbors")

    asyncio.run(scenario())
