"""Measures what a call of record() costs the thread that calls it.

    node clients/python/bench/rows.ts 2000 | PYTHONPATH=clients/python/src python3 clients/python/bench/record_cost.py

Kept records go all the way to a server in another process, so the cost is that of a service under load, with the sending
thread at work. Each round goes through all cases, so that a busy moment of the machine does not affect one of them alone.
"""

from __future__ import annotations

import copy
import decimal
import gc
import gzip
import http.server
import json
import marshal
import multiprocessing
import statistics
import sys
import time
from typing import Any, Callable, Iterator

from sluice import ExecutionObserver

ROUNDS = 5
CALLS_IN_A_ROUND = 4_000
#: After so many calls the sending thread gets its share, as in a service that waits for requests.
CALLS_IN_A_TURN = 100
#: Unsent records at which the bench waits, so that the buffer neither fills nor grows.
MOST_UNSENT = 1_000

Run = dict[str, Any]


class Sink(http.server.BaseHTTPRequestHandler):
    """Accepts everything."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        answer = json.dumps({"accepted": body.count(b"\n") + 1, "rejected": []}).encode()
        self.send_response(202)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: Any) -> None:
        return None


def serve(ports: Any) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    ports.put(server.server_address[1])
    server.serve_forever()


class Case:
    def __init__(self, name: str, call: Callable[[Run], Any], runs: list[Run], observer: ExecutionObserver | None = None):
        self.name = name
        self.call = call
        self.runs = runs
        self.observer = observer
        self.rounds_ns: list[list[int]] = []

    def measure(self) -> None:
        clock, call, took_ns = time.perf_counter_ns, self.call, []
        for at, run in enumerate(self._cycle()):
            begun = clock()
            call(run)
            took_ns.append(clock() - begun)
            if at % CALLS_IN_A_TURN == 0 and self.observer is not None:
                time.sleep(0.001)
                while self.observer.depth().records > MOST_UNSENT:
                    time.sleep(0.001)
        if self.observer is not None:
            self.observer.flush()
        self.rounds_ns.append(took_ns)

    def _cycle(self) -> Iterator[Run]:
        for at in range(CALLS_IN_A_ROUND):
            yield self.runs[at % len(self.runs)]

    def report(self) -> str:
        medians = [statistics.median(took) / 1_000 for took in self.rounds_ns]
        p99s = [sorted(took)[int(len(took) * 0.99)] / 1_000 for took in self.rounds_ns]
        means = [statistics.mean(took) / 1_000 for took in self.rounds_ns]
        return (
            f"{self.name:44} {statistics.median(medians):8.1f} {min(medians):8.1f} "
            f"{statistics.median(means):8.1f} {statistics.median(p99s):8.1f}"
        )


def main() -> None:
    runs = [json.loads(line) for line in sys.stdin]
    for run in runs:
        run.setdefault("nodesExecuted", 0)
    size = [len(json.dumps(cut(run), separators=(",", ":"))) for run in runs]
    mean = statistics.mean(size)
    ok_runs = [run for run in runs if run["status"] == "ok"]
    typical = min(ok_runs, key=lambda run: abs(len(json.dumps(run, separators=(",", ":"))) - mean))
    small = {name: value for name, value in typical.items() if name not in ("trace", "input")}
    exact = [{**typical, "points": decimal.Decimal(1), "input": {"price": decimal.Decimal("12.50"), **(typical["input"] or {})}}]

    context = multiprocessing.get_context("spawn")
    ports = context.Queue()
    sink = context.Process(target=serve, args=(ports,), daemon=True)
    sink.start()
    url = f"http://127.0.0.1:{ports.get()}"

    def observe(rate: float, gateway: str | None = url) -> ExecutionObserver:
        return ExecutionObserver(gateway, sample_rate=rate, environment={})

    def recording(name: str, observer: ExecutionObserver, runs: list[Run]) -> Case:
        return Case(name, lambda run: observer.record(**run), runs, observer)

    cases = [
        recording("record(): metrics alone, no gateway", observe(1, None), [typical]),
        recording("record(): sampled out", observe(0), [typical]),
        recording("record(): kept, small run", observe(1), [small]),
        recording("record(): kept, typical run", observe(1), [typical]),
        recording("record(): kept, the mix of runs", observe(1), runs),
        recording("record(): kept, typical run with two Decimals", observe(1), exact),
        Case("copy of the mix by marshal.dumps", lambda run: marshal.dumps(cut(run)), runs),
        Case("copy of the mix by json.dumps", lambda run: json.dumps(cut(run), separators=(",", ":")), runs),
        Case("copy of the mix by copy.deepcopy", lambda run: copy.deepcopy(cut(run)), runs),
    ]
    gc.collect()
    for _ in range(ROUNDS):
        for case in cases:
            case.measure()
    entries = statistics.mean(len(cut(run).get("trace") or []) for run in runs)
    metrics = "with" if "prometheus_client" in sys.modules else "without"
    version = sys.version.split()[0]
    print(f"Python {version}, {metrics} prometheus_client; mean record {mean:.0f} bytes, {entries:.0f} trace entries")
    print(f"{'µs':44} {'median':>8} {'quietest':>8} {'mean':>8} {'p99':>8}")
    for case in cases:
        print(case.report())
    for case in cases:
        if case.observer is not None:
            case.observer.close()
            if case.observer.stats().dropped:
                raise SystemExit(f"{case.name}: records were dropped, the figures are none")
    sink.terminate()


def cut(run: Run) -> Run:
    trace = run.get("trace")
    return run if trace is None or len(trace) <= 200 else {**run, "trace": trace[:100] + trace[-100:]}


if __name__ == "__main__":
    main()
