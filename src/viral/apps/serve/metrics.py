"""Prometheus metrics. Several workers write to files of one folder, and whichever is asked adds them up."""

import os
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # set by `viral serve` before workers start, read by prometheus_client at import
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
MOST_VARIANTS = 20  # names of variants that have a label of their own


class ServerMetrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._variants: set[str] = set()
        self.started = time.time()
        counter = partial(Counter, registry=registry)
        one_if = partial(Gauge, registry=registry, multiprocess_mode="livemax")
        self.requests = counter("viral_requests", "Answers given.", ("route", "method", "status"))
        self.seconds = Histogram(
            "viral_request_seconds", "From a request to the end of its answer.", ("route",), buckets=SECONDS,
            registry=registry,
        )  # fmt: skip
        self.running = Gauge(
            "viral_requests_running", "Requests under way.", registry=registry, multiprocess_mode="livesum"
        )
        self.reloads = counter("viral_reloads", "Bundles loaded while serving.", ("result",))
        self.broken = one_if(
            "viral_bundle_broken", "1 where what lies on the disk cannot be loaded, and an older bundle serves."
        )
        self.loaded = Gauge(
            "viral_bundle_loaded_timestamp_seconds", "When the oldest bundle in use was loaded.", registry=registry,
            multiprocess_mode="livemin",
        )  # fmt: skip
        self.feedback = counter("viral_feedback_events", "Events kept in the feedback file.", ("kind", "variant"))
        self.daily = counter(
            "viral_daily_answers", "Answers of the API by the machine's calendar day.", ("day", "result")
        )
        self._of_shop(counter, one_if)
        for result in ("done", "failed"):
            self.reloads.labels(result)
            self.rules_reloads.labels(result)

    def _of_shop(self, counter: Callable[..., Counter], one_if: Callable[..., Gauge]) -> None:
        """Lists, variants of a test and rules."""
        self.lists = counter(
            "viral_recommendations", "Lists of recommended items, by what they go by and the variant of a test.",
            ("source", "variant"),
        )  # fmt: skip
        self.variant_broken = one_if(
            "viral_variant_broken", "1 where a variant's new bundle cannot be loaded, and an older one serves.",
            ("variant",),
        )  # fmt: skip
        self.rules_reloads = counter("viral_rules_reloads", "Changed files of rules.", ("result",))
        self.rules_broken = one_if(
            "viral_rules_broken", "1 where the file of rules cannot be used, and the rules before it hold."
        )
        self.rules_unknown = one_if(
            "viral_rules_unknown", "Items, categories and brands of the rules that the run does not know."
        )

    def variant(self, name: str | None) -> str:
        """The label of a variant: the first names that come, and one for all others; "" for none."""
        if not name or name in self._variants:
            return name or ""
        if len(self._variants) >= MOST_VARIANTS:
            return "other"
        self._variants.add(name)
        return name

    def page(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._everybody())

    def of_day(self, day: str) -> dict[str, int]:
        """How many answers of the API there were on a day, by result: ``answered``, ``refused``, ``failed``."""
        samples = (one for family in self._everybody().collect() for one in family.samples)
        found = [one for one in samples if one.name == "viral_daily_answers_total" and one.labels["day"] == day]
        return {one.labels["result"]: int(one.value) for one in found}

    def _everybody(self) -> CollectorRegistry:
        """What is known of all workers."""
        folder = os.environ.get(FOLDER)
        if folder:
            for file in Path(folder).glob("gauge_live*_*.db"):  # of a worker that is no longer there
                pid = file.stem.rpartition("_")[2]
                if not Path(f"/proc/{pid}").exists() and Path("/proc").is_dir():
                    mark_process_dead(int(pid), folder)
            everybody = CollectorRegistry()
            MultiProcessCollector(everybody)
            return everybody
        return self._registry


class RequestMetrics:
    """ASGI middleware that counts and times answers by route; paths that are none share one name."""

    def __init__(self, app: ASGIApp, metrics: ServerMetrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = 500, time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._metrics.running.inc()
        try:
            await self._app(scope, receive, noting)
        finally:
            self._metrics.running.dec()
            route = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD") else "other"
            self._metrics.requests.labels(route, method, str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - started)
            if route.startswith("/v1/"):
                result = "failed" if status >= 500 else "refused" if status >= 400 else "answered"
                self._metrics.daily.labels(date.today().isoformat(), result).inc()
