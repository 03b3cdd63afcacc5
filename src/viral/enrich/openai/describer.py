"""Asking a server about pictures, one request for each, whatever the server does."""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from viral.base.errors import ViralError
from viral.data.pictures import PictureError, plain_bytes
from viral.enrich.answers import unwrapped
from viral.enrich.openai.client import Again, BadRequest, Client, NoAnswer, Reply, read_reply, request
from viral.enrich.openai.config import OpenAIConfig
from viral.enrich.openai.limits import CallBudget, Pace
from viral.enrich.protocol import Answer, BudgetSpent, Picture, Prompt, Refused

REQUEST_FORMAT = 1  # changes when the same picture and prompt would be put to a server otherwise


@dataclass
class _Spent:
    """What the attempts for one picture took, the vain ones too."""

    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0


class OpenAIDescriber:
    """Any vision model behind ``/chat/completions``.

    Thread-safe: ``describe`` is meant to be called from ``in_flight`` threads, with one picture each. Pictures are sent
    as bytes, as they are; only one that readers would see differently (turned by its metadata, CMYK, 16 bits of grey,
    transparent, animated) is sent as the upright RGB picture that VIRAL itself sees. ``jitter`` draws from [0, 1).
    """

    name, batch_size = "openai", 1

    def __init__(self, config: OpenAIConfig, *, jitter: Callable[[], float] | None = None) -> None:
        self._config, self._jitter = config, jitter or random.SystemRandom().random
        self._client = Client(config)
        self._pace = Pace(config.requests_per_minute)
        self._budget = CallBudget(config.budget_tokens, config.budget_money, config.price_in, config.price_out)
        self._slots = threading.Semaphore(config.concurrency)
        self._schema = config.json_schema  # until the server turns out not to know it
        self._lock, self._failed_in_a_row = threading.Lock(), 0

    def __reduce__(self) -> tuple[type["OpenAIDescriber"], tuple[OpenAIConfig]]:
        """Pickled as its configuration: another process has its own connections, pace and budget, and reads the key."""
        return type(self), (self._config,)

    @property
    def revision(self) -> str:
        return self._config.model

    @property
    def parameters(self) -> dict[str, object]:
        config = self._config
        decisive = {"temperature": config.temperature, "detail": config.detail, "json_schema": config.json_schema}
        return {"request": REQUEST_FORMAT, "model": config.model, **decisive}

    @property
    def in_flight(self) -> int:
        return self._config.concurrency

    def stop(self) -> None:
        """End all waiting for further attempts; requests that are under way finish."""
        self._pace.stop(ViralError("the describer was stopped"))

    def close(self) -> None:
        """Stop, let requests that are under way finish, and close the connections."""
        self.stop()
        for _ in range(self._config.concurrency):
            self._slots.acquire()
        self._client.close()
        self._slots.release(self._config.concurrency)

    def describe(self, pictures: Sequence[Picture], prompt: Prompt) -> list[Answer | Exception]:
        """One answer or exception per picture, in order.

        Raises ``ViralError`` for what concerns all pictures: a server that is not there, refuses the key or the model,
        or fails at every picture. All other threads get it too, instead of their next attempt.
        """
        return [self._describe(picture, prompt) for picture in pictures]

    def _describe(self, picture: Picture, prompt: Prompt) -> Answer | Exception:
        try:
            data, media = plain_bytes(picture.data)
        except PictureError as error:
            return error
        with self._slots:
            try:
                return self._counted(self._answer(prompt, picture.title, data, media))
            except BudgetSpent as error:
                return error
            except ViralError as error:
                self._pace.stop(error)
                raise

    def _answer(self, prompt: Prompt, title: str, data: bytes, media: str) -> Answer | Exception:
        """Ask with a schema where that is wanted, and without one where the server takes the request only so."""
        spent = _Spent()
        if self._schema and prompt.schema is not None:
            outcome = self._persist(request(self._config, prompt, title, data, media, schema=True), spent)
            if not isinstance(outcome, BadRequest):
                return outcome
        plain = self._persist(request(self._config, prompt, title, data, media, schema=False), spent)
        if isinstance(plain, Answer) and prompt.schema is not None:
            self._schema = False  # what the server refused was the schema, not the picture
        return plain

    def _persist(self, body: bytes, spent: _Spent) -> Answer | Exception:
        """Ask until there is an answer, or no more hope of one."""
        for attempt in range(1, self._config.max_attempts + 1):
            self._pace.take()
            try:
                return self._ask(body, spent)
            except (Refused, NoAnswer) as error:
                return error
            except Again as error:
                last = error
                if attempt < self._config.max_attempts:
                    self._wait(error, attempt)
        if not last.reached:
            hint = "is it running, and is url right? Nothing is lost: run the same command again when it is there"
            raise ViralError(f"no server answers: {last}", where=self._config.endpoint, hint=hint)
        return NoAnswer(f"none in {self._config.max_attempts} attempts; the last: {last}")

    def _wait(self, error: Again, attempt: int) -> None:
        """Twice as long each time, half of it by chance; a server that says how long says so to all threads."""
        if error.after is not None:
            self._pace.pause(min(error.after, self._config.max_wait))
        delay = min(self._config.backoff * 2 ** (attempt - 1), self._config.max_wait)
        self._pace.sleep(delay * (0.5 + 0.5 * self._jitter()))

    def _ask(self, body: bytes, spent: _Spent) -> Answer:
        with self._budget.call():
            try:
                reply = read_reply(self._client.post(body))
            except ValueError as error:
                raise Again(str(error)) from None
            spent.cost += self._budget.add(reply.tokens_in, reply.tokens_out)
        spent.tokens_in += reply.tokens_in
        spent.tokens_out += reply.tokens_out
        if self._budget.limited and not reply.counted:
            hint = "leave the budget out, and set one at the server"
            self._pace.stop(ViralError("the server does not tell tokens, so no budget can be kept", hint=hint))
        return Answer(self._text(reply), spent.tokens_in, spent.tokens_out, spent.cost)

    def _text(self, reply: Reply) -> str:
        if reply.refusal or reply.finish == "content_filter":
            raise Refused(reply.refusal[:200] or "the server's content filter")
        if reply.finish == "length":
            raise NoAnswer(f"cut off after max_tokens = {self._config.max_tokens}: set it higher")
        text, unanswered = unwrapped(reply.text)
        if unanswered or not text:
            raise Again("reasoning without an answer" if unanswered else "an answer without text")
        return text

    def _counted(self, outcome: Answer | Exception) -> Answer | Exception:
        """Give up where one picture after the other fails: else a broken server would use up all their attempts."""
        with self._lock:
            self._failed_in_a_row = failed = self._failed_in_a_row + 1 if isinstance(outcome, NoAnswer) else 0
        if failed >= self._config.give_up_after:
            hint = "the server is at fault, or the model or a setting; run the same command again when that is mended"
            what = f"{failed} pictures in a row failed; the last: {outcome}"
            self._pace.stop(ViralError(what, where=self._config.endpoint, hint=hint))
        return outcome
