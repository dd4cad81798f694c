"""What one repository's questions have in common: endpoints in their order, and patience."""

import logging
import random
import threading
import time
import weakref
from collections.abc import Collection, Sequence

from lading.distribution.answers import REPEATABLE, Refusal, refusal
from lading.distribution.endpoints import HUB
from lading.distribution.line import Line
from lading.distribution.pauses import LONGEST, growing, retry_after
from lading.distribution.transport import Answer, Request
from lading.distribution.values import Interrupted, Unreachable
from lading.distribution.watch import Watch
from lading.errors import LadingError

_log = logging.getLogger(__name__)


class Session:
    """Any thread. `name` is the repository's path at the registry `domain`."""

    def __init__(self, lines: Sequence[Line], domain: str, name: str, attempts: int, pause: float) -> None:
        self.name = name
        self.whole_name = f"{domain}/{name}"
        self.shown = name.removeprefix("library/") if domain == HUB else self.whole_name
        """As docker shows it to people."""
        self.attempts = max(1, attempts)
        self._lines = list(lines)
        self._pause = pause
        self._stopped = threading.Event()
        self._watch = Watch()
        self._answers: weakref.WeakSet[Answer] = weakref.WeakSet()
        self._lock = threading.Lock()

    def ask(self, request: Request, wanted: Collection[int], *, patient: bool = True) -> Answer:
        """An answer with a status of `wanted`, or the last endpoint's refusal.

        Raises Unreachable, Interrupted, and why no token was to be had.
        """
        lines = self._candidates()
        for line in lines[:-1]:
            answer = self._try(line, request, patient)
            if answer is None:
                continue
            if answer.status in wanted or not line.endpoint.mirror:
                return answer
            answer.drop()
        return self._persist(lines[-1], request, self.attempts if patient else 1, last=True)

    def _try(self, line: Line, request: Request, patient: bool) -> Answer | None:
        """None where the next endpoint may do better."""
        attempts = 1 if line.endpoint.mirror or not patient else self.attempts
        try:
            return self._persist(line, request, attempts, last=False)
        except (Unreachable, Interrupted) as error:
            self.check()
            if line.answered and not line.endpoint.mirror:
                raise
            line.dead = True
            _log.debug("asking the next endpoint: %s", error.message)
        except LadingError as error:
            if not line.endpoint.mirror:
                raise
            _log.info("asking the next endpoint after the mirror: %s", error.message)
        return None

    def _candidates(self) -> list[Line]:
        """A registry that once answered with TLS is not asked without."""
        for number, line in enumerate(self._lines):
            if line.answered and not line.endpoint.mirror:
                self._lines = self._lines[: number + 1]
                break
        return [line for line in self._lines[:-1] if not line.dead] + self._lines[-1:]

    def _persist(self, line: Line, request: Request, attempts: int, *, last: bool) -> Answer:
        for attempt in range(1, attempts + 1):
            self.check()
            pause = growing(attempt, self._pause, random.random())
            try:
                with self._watch.over():
                    answer = line.ask(request)
            except Interrupted:
                self.check()
                # Of whom nothing ever came, nothing much is to be expected.
                if attempt >= (attempts if line.answered else min(attempts, 2 if last else 1)):
                    raise
            except Unreachable:
                if attempt == attempts or not line.answered:
                    raise
            else:
                pause = max(pause, self.retry_after(answer))
                if answer.status not in REPEATABLE or attempt == attempts or pause > LONGEST:
                    return self._kept(answer)
                answer.drop()
            self.rest(pause)
        raise AssertionError("attempts are counted from 1")

    def _kept(self, answer: Answer) -> Answer:
        with self._lock:
            self._answers.add(answer)
        if self._stopped.is_set():
            answer.abort()
        return answer

    def again(self, attempt: int, least: float = 0.0) -> None:
        """Waits as after attempt number `attempt`, and at least so many seconds."""
        self.rest(max(least, growing(attempt, self._pause, random.random())))

    def rest(self, seconds: float) -> None:
        """Raises Interrupted as soon as somebody stops us."""
        if self._stopped.wait(seconds):
            self.check()

    def check(self) -> None:
        """Raises Interrupted if somebody stopped us."""
        if self._stopped.is_set():
            raise Interrupted("context canceled")

    def abort(self) -> None:
        """Ends pauses, waits and transfers; only to connect may still take its time."""
        self._stopped.set()
        self._watch.abort()
        with self._lock:
            answers = list(self._answers)
        for answer in answers:
            answer.abort()

    @staticmethod
    def retry_after(answer: Answer) -> float:
        """Seconds, 0 where the registry does not say."""
        return retry_after(answer.headers.get("Retry-After", ""), time.time())

    @staticmethod
    def refused(answer: Answer) -> Refusal:
        """Why; reads what is left of the answer."""
        demands = answer.demands
        return refusal(answer.status, demands, answer.excerpt())
