"""kazoo under measurement: each call is made when the last is answered.

Arguments: host workload inFlight valueBytes warmupMs measuredMs. Prints the measurement as JSON.
"""

import json
import os
import resource
import sys
import threading
import time

from kazoo.client import KazooClient

PATH = "/bench"
MIXED_PERIOD = 5
TIMED_MAX = 16

host, workload = sys.argv[1:3]
in_flight, value_bytes, warmup_ms, measured_ms = map(int, sys.argv[3:7])
value = b"x" * value_bytes
running, measuring = True, False
operations = 0
latencies = []
ended = threading.Semaphore(0)
client = KazooClient(hosts=host, timeout=30)


def get():
    return client.get_async(PATH)


def put():
    return client.set_async(PATH, value)


class Chain:
    """Calls that are made one after the other."""

    def __init__(self, index):
        self.index = index
        self.turn = 0
        self.own = f"{PATH}/{os.getpid()}-{index}"
        self.started = 0.0

    def call(self):
        self.started = time.perf_counter()
        self.request().rawlink(self.next)

    def request(self):
        if workload == "getData":
            return get()
        if workload == "setData":
            return put()
        if workload == "mixed":
            return put() if (self.index + self.turn) % MIXED_PERIOD == 0 else get()
        if self.turn % 2 == 0:
            return client.create_async(self.own, value)
        return client.delete_async(self.own)

    def next(self, result):
        global operations
        if result.exception is not None:
            print(f"a call failed: {result.exception!r}", file=sys.stderr)
            os._exit(1)
        operations += 1
        if measuring and running and self.index < TIMED_MAX:
            latencies.append(time.perf_counter() - self.started)
        self.turn += 1
        if running:
            self.call()
        else:
            ended.release()


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def percentile(values, share):
    return values[int((len(values) - 1) * share)] * 1e6 if values else 0


client.start()
for index in range(in_flight):
    Chain(index).call()
time.sleep(warmup_ms / 1000)
measuring = True
operations_before, cpu_before, start = operations, cpu_seconds(), time.perf_counter()
time.sleep(measured_ms / 1000)
count, cpu = operations - operations_before, cpu_seconds() - cpu_before
elapsed = time.perf_counter() - start
running = False
for _ in range(in_flight):
    ended.acquire()
client.stop()

latencies.sort()
print(
    json.dumps(
        {
            "operationsInAll": operations,
            "operationsPerSecond": count / elapsed,
            "cpuMicrosPerOperation": cpu * 1e6 / max(count, 1),
            "p50Micros": percentile(latencies, 0.5),
            "p99Micros": percentile(latencies, 0.99),
        }
    )
)
