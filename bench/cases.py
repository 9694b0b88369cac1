"""What is measured. Each case yields one row a run: the system, the size, and the numbers."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial

import systems
from systems import filled, tables


# A run during which the machine's host gave more of the processors' time to others, in percent, tells more about those.
CALM_STEAL = 3
RUNS_UNTIL_CALM = 3


@dataclass
class UntilCalm:
    """Measures again what was disturbed, as often and as long as there is time for; every run is told."""
    seconds_left: float

    def __call__(self, measure, *arguments):
        for number in range(RUNS_UNTIL_CALM):
            begun = time.monotonic()
            row = measure(*arguments)
            took = time.monotonic() - begun
            row["disturbed"] = row["steal"] > CALM_STEAL
            yield row
            if number > 0:
                self.seconds_left -= took
            if not row["disturbed"] or self.seconds_left < took:
                return


@dataclass(frozen=True)
class Size:
    rounds: int
    drains: int  # of ours and of the ceiling, in turns
    steady: int  # rounds at 1,000 users a second
    users: int  # of the comparison with others
    many: int  # that are counted
    fetched: int
    latency_s: int
    growth: tuple  # the lengths of backlogs
    grown: int  # rounds of them; the longest only in the first and the last
    spark_rounds: int
    warm_ups: int  # drains at most before the first measure
    latency_warm_ups: int
    until_calm: UntilCalm


FULL = Size(rounds=3, drains=7, steady=5, users=300_000, many=3_000_000, fetched=200_000, latency_s=20, growth=(100_000, 300_000, 1_000_000, 3_000_000),
            grown=6, spark_rounds=2, warm_ups=9, latency_warm_ups=6, until_calm=UntilCalm(150))
QUICK = Size(rounds=1, drains=1, steady=1, users=100_000, many=300_000, fetched=50_000, latency_s=8, growth=(100_000, 300_000), grown=1,
             spark_rounds=1, warm_ups=3, latency_warm_ups=3, until_calm=UntilCalm(0))

topic_of = cache(filled)


def measured(system, users, run, **more):
    return {"system": system, "users": users, "seconds": run.seconds, "rate": users / run.seconds, "cpu_us": run.cpu_s / users * 1e6,
            "peak_mb": run.peak_mb, "wire_bytes": run.wire_mb * 1e6 / users, "steal": run.steal,
            "servers_us": {name: seconds / users * 1e6 for name, seconds in run.servers_cpu_s.items()}, **more}


def in_turn(number, measures):
    """Forwards and backwards, so that nobody is always the first."""
    return measures if number % 2 == 0 else measures[::-1]


def drained(system, command, users, topic):
    with tables(topic) as world:
        run = world.run(command)
        world.check(users)
        return measured(system, users, run)


def consumed(system, command, users, topic):
    with tables(topic) as world:
        return measured(system, users, world.run(command))


def with_ceiling(users, topic):
    with tables(topic) as world:
        run = world.run(systems.ceiling(users))
        world.check(users)
        return {"system": "ceiling", "users": users, "seconds": run.summary["elapsed_ms"] / 1000, "rate": run.summary["rows_per_second"],
                "steal": run.steal}


def ours(users, topic):
    return drained("transform-store", systems.transform_store(), users, topic)


def at_a_rate(service, wait, rate, size):
    """Users come at a steady rate; the service has some seconds before the first."""
    with tables(systems.new_name("t")) as world:
        running = world.start(service)
        time.sleep(wait)
        run = world.run([systems.LOAD, "latency", "--rate", rate, "--users", rate * size.latency_s, "--every", rate // 50])
        running.end_in_order()
        return {**run.summary, "steal": run.steal}


def warm_up(size):
    """Kafka's and Cassandra's code is compiled while it runs: the first requests of their lives, many at once and few, are not measured"""
    best, topic = None, topic_of(size.users)
    for number in range(size.warm_ups):
        row = ours(size.users, topic) if number % 2 else with_ceiling(size.users, topic)
        seconds = row["seconds"]
        print(f"  warm-up: {seconds:.1f} s", flush=True)
        # It takes about six; and one that is no quicker may have met a pause.
        if number >= 6 and seconds > best * 0.95:
            break
        best = min(best or seconds, seconds)
    # The code of single requests is compiled later than that of batches: it takes about six of these, too.
    for rate in [1_000] * size.latency_warm_ups + [5_000]:
        at_a_rate(systems.transform_store("--follow"), 0, rate, size)
    yield from ()


def drain(size):
    """the topic into created_users"""
    users, topic = size.users, topic_of(size.users)

    def pyspark():
        return drained("PySpark", systems.spark("spark_drain.py"), users, topic)

    def python():
        return drained("Python", systems.python("python_drain.py"), users, topic)

    for number in range(size.drains):
        others = [pyspark] * (number < size.spark_rounds) + [python] * (number == 0)
        for measure in in_turn(number, [partial(ours, users, topic), partial(with_ceiling, users, topic), *others]):
            yield from size.until_calm(measure)


def first_row(size):
    """from the start of the program to the first row that can be read"""
    topic = topic_of(size.users)
    commands = {"transform-store": systems.transform_store, "PySpark": lambda: systems.spark("spark_drain.py")}
    for number in range(size.rounds):
        for system, command in commands.items():
            if system == "PySpark" and number > 0:
                continue
            with tables(topic) as world:
                waiting = world.start([systems.LOAD, "first-row"])
                assert waiting.line() == "ready"
                job = world.start(command())
                at_ms = waiting.finish().summary["at_ms"]
                job.end_in_order()
                yield {"system": system, "seconds": at_ms / 1000 - job.begun_at}


def latency(size):
    """from a user given to Kafka's client to its row, at a steady rate"""
    ours = ("transform-store", systems.transform_store("--follow"), 2)
    others = ("PySpark", systems.spark("spark_drain.py", "follow"), 25)
    # At 5,000 PySpark falls behind from the first second: its number would only tell how long was measured.
    for rate, measures in ((1_000, [ours] * size.steady + [others]), (5_000, [ours] * size.rounds)):
        for system, command, wait in measures:
            yield from size.until_calm(lambda: {"system": system, "users/s": rate, **at_a_rate(command, wait, rate, size)})


def fetch(size):
    """from the bundled API onto the topic"""
    def fetched(system, users, command):
        # Users of their own: the same ones would be landed already.
        seed = systems.new_name("s")
        with tables(systems.new_name("t")) as world:
            return measured(system, users, world.run(command(users, seed)))

    for number in range(size.rounds):
        yield from size.until_calm(fetched, "fetch-publish", size.fetched, systems.fetch_publish)
        if number == 0:
            for system, words in (("Python", []), ("Python, with landing", ["landing"])):
                # Its rate is the same for fewer.
                yield from size.until_calm(fetched, system, size.fetched // 4,
                                           lambda users, seed, words=words: systems.python("python_fetch.py", users, *words, seed))


def count(size):
    """numbers of users from the topic"""
    users, topic = size.many, topic_of(size.many)
    for number in range(size.rounds):
        yield from size.until_calm(consumed, "aggregate", systems.aggregate(), users, topic)
        yield from size.until_calm(consumed, "ceiling", [systems.LOAD, "read"], users, topic)
        if number < size.spark_rounds - 1 or size.rounds == 1:
            yield from size.until_calm(consumed, "PySpark, one dimension", systems.spark("spark_count.py"), users, topic)


def growth(size):
    """time for each record as the backlog grows"""
    for users in size.growth:
        topic_of(users)
    for number in range(size.grown):
        # What comes first is slower than what follows, whatever its size: not measured.
        ours(size.users, topic_of(size.users))
        for users in in_turn(number, size.growth):
            long = users >= 1_000_000
            if long and 0 < number < size.grown - 1:
                continue
            yield from size.until_calm(ours, users, topic_of(users))
            if not (long and number > 0):
                yield from size.until_calm(with_ceiling, users, topic_of(users))
            yield from size.until_calm(consumed, "aggregate", systems.aggregate(), users, topic_of(users))


def members(size):
    """1, 2 and 4 members of one group"""
    users, topic = size.users, topic_of(size.users)
    for number in (1, 2, 4):
        with tables(topic) as world:
            command = systems.transform_store()
            begun = time.monotonic()
            with ThreadPoolExecutor(number) as pool:
                runs = list(pool.map(lambda _: world.run(command), range(number)))
            seconds = time.monotonic() - begun
            world.check(users)
            yield {"system": "transform-store", "members": number, "users": users, "seconds": seconds, "rate": users / seconds,
                   "peak_mb": max(run.peak_mb for run in runs)}


def record_size(size):
    """records of 0.5, 5 and 50 KB"""
    users = min(size.users, 100_000)
    for padding in (0, 4_500, 49_500):
        count = users if padding < 10_000 else users // 5
        topic = filled(count, "--padding", padding)
        for job, command in (("transform-store", systems.transform_store), ("aggregate", systems.aggregate)):
            with tables(topic) as world:
                yield measured(job, count, world.run(command()), padding=padding)


# The latency comes first: the long drains leave Cassandra with tables to merge for minutes, and each case is of a fresh table. The long drains come
# last, also since the servers still become quicker with what goes before. Those that are compared with each other come one after the other.
ALL = {"warm-up": warm_up, "latency": latency, "drain": drain, "first-row": first_row, "fetch": fetch, "growth": growth, "count": count,
       "members": members, "record-size": record_size}
