from __future__ import annotations

import unittest
from typing import Any

from .fake_gateway import FakeGateway, reject
from .test_observer import FAILED, RUN, observer

try:
    import prometheus_client
except ImportError:
    prometheus_client = None  # type: ignore[assignment]


@unittest.skipIf(prometheus_client is None, "prometheus_client is not installed")
class MetricsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.registry = prometheus_client.CollectorRegistry()

    def value(self, name: str, **labels: str) -> Any:
        return self.registry.get_sample_value(name, labels)

    def test_names_labels_and_edges_are_those_of_the_original(self) -> None:
        observed = observer(None, registry=self.registry)
        observed.record(**RUN)
        observed.record(**{**FAILED, "durationMs": 300, "nodesExecuted": 5, "realmId": None, "errorCode": ""})
        ok = {"realm": "north", "strategy_type": "DSL_FULL", "status": "ok"}
        failed = {"realm": "unknown", "strategy_type": "DSL_FULL", "status": "error"}
        self.assertEqual(self.value("dsl_execution_duration_seconds_sum", **ok), 0.00125)
        self.assertEqual(self.value("dsl_execution_duration_seconds_bucket", **failed, le="0.25"), 0)
        self.assertEqual(self.value("dsl_execution_duration_seconds_bucket", **failed, le="0.3"), 1)
        edges = [
            sample.labels["le"]
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == "dsl_execution_duration_seconds_bucket" and sample.labels["status"] == "ok"
        ]
        self.assertEqual(
            edges, "0.005 0.01 0.025 0.05 0.1 0.15 0.2 0.25 0.3 0.4 0.5 0.75 1.0 2.5 5.0 +Inf".split()
        )
        self.assertEqual(self.value("dsl_execution_nodes_total", realm="north", strategy_type="DSL_FULL"), 2)
        self.assertEqual(self.value("dsl_execution_errors_total", realm="unknown", strategy_type="DSL_FULL", code="unknown"), 1)
        self.assertEqual(self.value("sluice_producer_records_total", outcome="disabled"), 2)
        observed.close()

    def test_every_outcome_is_counted(self) -> None:
        with FakeGateway(reject("status")) as gateway:
            observed = observer(gateway, registry=self.registry, queue_maxsize=3, sample_rate=1)
            for _ in range(5):
                observed.record(**RUN)
            self.assertEqual(self.value("sluice_producer_buffer_records"), observed.depth().records)
            observed.configure(sample_rate=0)
            observed.record(**RUN)
            observed.close()
            stats = observed.stats()
            for outcome in ("sent", "sampled_out", "dropped", "refused", "in_doubt"):
                self.assertEqual(self.value("sluice_producer_records_total", outcome=outcome), getattr(stats, outcome))
            self.assertEqual(
                self.value("dsl_execution_log_dropped_total", realm="north", strategy_type="DSL_FULL"), stats.dropped
            )

    def test_label_values_are_bounded_in_number_and_length(self) -> None:
        observed = observer(None, registry=self.registry, max_series=10)
        for at in range(50):
            observed.record(**{**FAILED, "realmId": f"realm-{at}", "errorCode": f"E{at}"})
        observed.record(**{**FAILED, "realmId": "x" * 10_000, "status": object()})
        series = {
            tuple(sorted(sample.labels.items()))
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == "dsl_execution_errors_total"
        }
        self.assertLessEqual(len(series), 12)
        total = sum(
            sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == "dsl_execution_errors_total"
        )
        self.assertEqual(total, 51)
        other = {"realm": "other", "strategy_type": "other", "status": "error"}
        self.assertEqual(self.value("dsl_execution_duration_seconds_count", **other), 41)
        self.assertEqual(
            self.value("sluice_producer_series_overflow_total", metric="dsl_execution_duration_seconds"), 41
        )
        observed.close()

    def test_observers_share_a_registry_also_with_the_module_that_they_replace(self) -> None:
        names = ["realm", "strategy_type"]
        own = prometheus_client.Counter("dsl_execution_nodes_total", "of the original", names, registry=self.registry)
        first, second = observer(None, registry=self.registry), observer(None, registry=self.registry)
        own.labels("north", "DSL_FULL").inc(10)
        first.record(**RUN)
        second.record(**RUN)
        self.assertEqual(self.value("dsl_execution_nodes_total", realm="north", strategy_type="DSL_FULL"), 14)
        first.close()
        second.close()

    def test_a_name_that_belongs_to_something_else_costs_only_the_metrics(self) -> None:
        prometheus_client.Gauge("dsl_execution_errors_total", "of somebody else", registry=self.registry)
        with FakeGateway() as gateway:
            observed = observer(gateway, registry=self.registry)
            observed.record(**RUN)
            observed.close()
            self.assertEqual(len(gateway.records), 1)
        self.assertEqual([family.name for family in self.registry.collect()], ["dsl_execution_errors_total"])
