"""The metrics, when prometheus_client is installed.

The first four have the names, labels, bucket edges and the `unknown` rule of the execution log that Sluice replaces. They are
ordinary metrics of prometheus_client, so its multiprocess mode works. Observers with one registry count into the same ones,
and into those of the replaced `dsl_metrics` module if the service still imports it.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any, Callable, Iterable

from ._problems import ProblemLog
from ._text import to_storable

#: Above 0.25 s a user notices a scoring event; alerts interpolate there.
DURATION_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5)
_WAIT_BUCKETS_S = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300)

#: The label value of observations beyond the last series.
OTHER = "other"
UNKNOWN = "unknown"
#: The longest label value: it is in every line of every scrape.
_LABEL_CHARS = 120
#: A longer duration, or one that is no number, would spoil the sum.
_LONGEST_MS = 1e15


def to_label(value: Any) -> str:
    """Return the text that a label value is counted under. Absent, empty and unreadable values are `unknown`."""
    if type(value) is str and 0 < len(value) <= _LABEL_CHARS:
        return value if value.isascii() else to_storable(value)
    kind = type(value)  # not isinstance(): the value may refuse to tell its class
    if issubclass(kind, str):
        return to_storable(str.__str__(value)[:_LABEL_CHARS]) or UNKNOWN
    if kind is bool or kind is float or (kind is int and value.bit_length() <= 128):
        return str(value)
    return UNKNOWN


class Series:
    """The children of one realm, strategy type and status."""

    __slots__ = ("code_increments", "increment_nodes", "observe_s", "realm", "strategy_type")

    def __init__(
        self, realm: str, strategy_type: str, observe_s: Callable[[float], None], increment_nodes: Callable[[float], None]
    ) -> None:
        self.realm = realm
        self.strategy_type = strategy_type
        self.observe_s = observe_s
        self.increment_nodes = increment_nodes
        self.code_increments: dict[str, Callable[[], None]] = {}


class ExecutionMetrics:
    """The metrics of observers. Without prometheus_client, labels are still bounded and nothing is counted.

    :param max_series: label sets of one metric; beyond it, everything new is counted under `other`
    """

    def __init__(self, registry: Any, max_series: int, problems: ProblemLog) -> None:
        self._max_series = max_series
        self._metrics = _join(registry, "executions", _ExecutionCollectors, problems)
        self._known: dict[tuple[Any, Any, Any], Series] = {}
        self._lock = threading.RLock()
        self._sets: dict[str, set[tuple[str, ...]]] = {"durations": set(), "pairs": set(), "errors": set(), "dropped": set()}

    def reset_in_child(self) -> None:
        """In the child of a fork: the thread that had the lock may not be there."""
        self._lock = threading.RLock()

    def observe(self, realm: Any, strategy_type: Any, status: str, code: Any, duration_ms: Any, nodes: Any) -> Series:
        """Count a run, and return the series that it was counted in."""
        try:
            series = self._known[realm, strategy_type, status]
        except Exception:  # unknown, or a value whose own code raises
            series = self._find(realm, strategy_type, status)
        kind = type(duration_ms)
        if (kind is float or kind is int) and -_LONGEST_MS < duration_ms < _LONGEST_MS:
            series.observe_s(duration_ms / 1_000)
        if type(nodes) is int and nodes > 0:
            series.increment_nodes(nodes)
        if status != "ok":
            label = to_label(code)
            increment = series.code_increments.get(label)
            if increment is None:
                increment = self._find_code(series, label)
            increment()
        return series

    def dropped(self, realm: str, strategy_type: str) -> None:
        labels = self._bounded("dropped", (realm or UNKNOWN, strategy_type or UNKNOWN))
        if self._metrics is not None:
            self._metrics.dropped.labels(*labels).inc()
            self.outcome("dropped")

    def outcome(self, outcome: str, records: int = 1) -> None:
        if self._metrics is not None:
            self._metrics.outcomes[outcome].inc(records)

    def send_failed(self) -> None:
        if self._metrics is not None:
            self._metrics.send_failures.inc()

    def watch(self, source: Any) -> None:
        """Show the depth of a source's buffer until it is gone or unwatched."""
        if self._metrics is not None:
            self._metrics.sources.add(source)

    def unwatch(self, source: Any) -> None:
        if self._metrics is not None:
            self._metrics.sources.discard(source)

    def _find(self, realm: Any, strategy_type: Any, status: str) -> Series:
        labels = (to_label(realm), to_label(strategy_type), status)
        with self._lock:
            series = self._known.get(labels)
            if series is None:
                series = self._make(*labels)
                # Only under its own labels: values of the caller's may be of any number and size.
                if (series.realm, series.strategy_type) == labels[:2]:
                    self._known[labels] = series
                    # None is what services pass for the absent, and cheap to keep.
                    key = tuple(None if given is None else label for given, label in zip((realm, strategy_type), labels))
                    self._known[(*key, status)] = series  # type: ignore[index]
            return series

    def _make(self, realm: str, strategy_type: str, status: str) -> Series:
        kept = self._bounded("durations", (realm, strategy_type, status), locked=True)
        pair = self._bounded("pairs", (realm, strategy_type), locked=True)
        if self._metrics is None:
            return Series(kept[0], kept[1], _nothing, _nothing)
        return Series(
            kept[0],
            kept[1],
            self._metrics.durations.labels(kept[0], kept[1], status).observe,
            self._metrics.nodes.labels(*pair).inc,
        )

    def _find_code(self, series: Series, code: str) -> Callable[[], None]:
        if self._metrics is None:
            return _nothing
        realm, strategy_type = series.realm, series.strategy_type
        with self._lock:
            known = self._sets["errors"]
            labels = (realm, strategy_type, code)
            # The last tenth is for the code `other` of known realms, so that the sum of a realm stays right.
            if labels not in known and len(known) >= self._max_series * 0.9:
                self._overflow("errors")
                labels = (realm, strategy_type, OTHER)
                if labels not in known and len(known) >= self._max_series:
                    labels = (OTHER, OTHER, OTHER)
            known.add(labels)
            increment: Callable[[], None] = self._metrics.errors.labels(*labels).inc
            if labels[2] == code:
                series.code_increments[code] = increment
            return increment

    def _bounded(self, metric: str, labels: tuple[str, ...], *, locked: bool = False) -> tuple[str, ...]:
        if not locked:
            with self._lock:
                return self._bounded(metric, labels, locked=True)
        known = self._sets[metric]
        if labels in known:
            return labels
        if len(known) >= self._max_series:
            self._overflow(metric)
            return tuple(OTHER for _ in labels[:2]) + labels[2:]
        known.add(labels)
        return labels

    def _overflow(self, metric: str) -> None:
        if self._metrics is not None and metric in self._metrics.overflow:
            self._metrics.overflow[metric].inc()


class RequestMetrics:
    """The metrics of senders of completed requests."""

    def __init__(self, registry: Any, problems: ProblemLog) -> None:
        self._metrics = _join(registry, "requests", _RequestCollectors, problems)

    def called(self, result: str) -> None:
        if self._metrics is not None:
            self._metrics.results[result].inc()

    def outcome(self, outcome: str, records: int = 1) -> None:
        if self._metrics is not None:
            self._metrics.outcomes[outcome].inc(records)

    def waited(self, seconds: float) -> None:
        if self._metrics is not None:
            self._metrics.waits.inc()
            self._metrics.wait_s.observe(seconds)

    def send_failed(self) -> None:
        if self._metrics is not None:
            self._metrics.send_failures.inc()

    def watch(self, source: Any) -> None:
        if self._metrics is not None:
            self._metrics.sources.add(source)

    def unwatch(self, source: Any) -> None:
        if self._metrics is not None:
            self._metrics.sources.discard(source)


def _nothing(_amount: float = 1) -> None:
    return None


class _Collectors:
    """Creates metrics in a registry, or takes those that are there."""

    def __init__(self, prometheus: Any, registry: Any) -> None:
        self._prometheus = prometheus
        self._registry = registry
        self._made: list[Any] = []
        self.sources: weakref.WeakSet[Any] = weakref.WeakSet()
        try:
            self._create()
        except Exception:
            for metric in self._made:
                registry.unregister(metric)
            raise

    def _create(self) -> None:
        raise NotImplementedError

    def _counter(self, name: str, text: str, labels: Iterable[str] = ()) -> Any:
        return self._metric(self._prometheus.Counter, name, text, labels)

    def _histogram(self, name: str, text: str, labels: Iterable[str], buckets: tuple[float, ...]) -> Any:
        return self._metric(self._prometheus.Histogram, name, text, labels, buckets=buckets)

    def _depth(self, name: str, text: str, read: Callable[[Any], float]) -> None:
        gauge = self._metric(self._prometheus.Gauge, name, text, (), multiprocess_mode="livesum")
        gauge.set_function(lambda: sum(read(source) for source in list(self.sources)))

    def _metric(self, kind: Any, name: str, text: str, labels: Iterable[str], **options: Any) -> Any:
        try:
            made = kind(name, text, tuple(labels), registry=self._registry, **options)
            self._made.append(made)
            return made
        except ValueError:
            # Taken: by the module that this package replaces, or by a copy of this package.
            known = getattr(self._registry, "_names_to_collectors", {}).get(name)
            if isinstance(known, kind) and tuple(getattr(known, "_labelnames", ())) == tuple(labels):
                return known
            raise


class _ExecutionCollectors(_Collectors):
    def _create(self) -> None:
        pair = ("realm", "strategy_type")
        self.durations = self._histogram(
            "dsl_execution_duration_seconds",
            "Wall-clock time of strategy executions, in seconds",
            (*pair, "status"),
            DURATION_BUCKETS_S,
        )
        self.nodes = self._counter("dsl_execution_nodes_total", "Nodes evaluated by strategy executions", pair)
        self.errors = self._counter(
            "dsl_execution_errors_total", "Strategy executions that failed, by error code", (*pair, "code")
        )
        self.dropped = self._counter(
            "dsl_execution_log_dropped_total", "Records that the execution log dropped before they reached the gateway", pair
        )
        records = self._counter(
            "sluice_producer_records_total",
            "Records by how they left the producer: sent, sampled_out, disabled, dropped, refused (by the gateway, for good), "
            "or in_doubt (given up without an answer)",
            ("outcome",),
        )
        names = ("sent", "sampled_out", "disabled", "dropped", "refused", "in_doubt")
        self.outcomes = {name: records.labels(name) for name in names}
        self.send_failures = self._counter(
            "sluice_producer_send_failures_total", "Bodies that the gateway did not take; each is sent again"
        )
        overflow = self._counter(
            "sluice_producer_series_overflow_total",
            "Observations counted under the label other because the metric has reached its maximum number of series",
            ("metric",),
        )
        overflowing = {
            "durations": "dsl_execution_duration_seconds",
            "pairs": "dsl_execution_nodes_total",
            "errors": "dsl_execution_errors_total",
            "dropped": "dsl_execution_log_dropped_total",
        }
        self.overflow = {key: overflow.labels(name) for key, name in overflowing.items()}
        self._depth("sluice_producer_buffer_records", "Records in the buffer", lambda source: float(source.depth().records))
        self._depth("sluice_producer_buffer_bytes", "Bytes in the buffer", lambda source: float(source.depth().bytes))


class _RequestCollectors(_Collectors):
    def _create(self) -> None:
        calls = self._counter(
            "sluice_requests_sent_total",
            "Calls of send and begin by result: accepted, refused (no record, or too large), aborted (timed out or cancelled), "
            "or closed",
            ("result",),
        )
        self.results = {name: calls.labels(name) for name in ("accepted", "refused", "aborted", "closed")}
        records = self._counter(
            "sluice_request_records_total",
            "Accepted records by outcome: sent, refused (by the gateway, for good), dropped (unsent at close), or in_doubt "
            "(given up without an answer)",
            ("outcome",),
        )
        self.outcomes = {name: records.labels(name) for name in ("sent", "refused", "dropped", "in_doubt")}
        self.send_failures = self._counter(
            "sluice_request_send_failures_total", "Bodies that the gateway did not take; each is sent again"
        )
        self.waits = self._counter("sluice_request_send_waits_total", "Sends that found the buffer full and waited")
        self.wait_s = self._histogram(
            "sluice_request_send_wait_seconds",
            "How long sends waited for room in the buffer, however the wait ended",
            (),
            _WAIT_BUCKETS_S,
        )
        self._depth("sluice_request_sends_waiting", "Sends that wait for room", lambda source: float(source.stats().waiting))
        self._depth("sluice_request_buffer_records", "Records in the buffer", lambda source: float(source.depth().records))
        self._depth("sluice_request_buffer_bytes", "Bytes in the buffer", lambda source: float(source.depth().bytes))


_joined: weakref.WeakKeyDictionary[Any, dict[str, Any]] = weakref.WeakKeyDictionary()
_join_lock = threading.Lock()


def _join(registry: Any, kind: str, create: Callable[[Any, Any], Any], problems: ProblemLog) -> Any:
    """Return the collectors of a kind in a registry; None without prometheus_client, or where the names belong to others."""
    try:
        import prometheus_client
    except ImportError:
        return None
    registry = prometheus_client.REGISTRY if registry is None else registry
    with _join_lock:
        kinds = _joined.setdefault(registry, {})
        if kind not in kinds:
            try:
                kinds[kind] = create(prometheus_client, registry)
            except Exception as error:
                problems.report("metrics could not be registered; nothing is counted in them", error)
                return None
        return kinds[kind]
