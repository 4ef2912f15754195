"""What a process says of itself at ``/metrics``."""

import time
import urllib.request
from collections import Counter
from collections.abc import Callable

from prometheus_client import parser

Sample = tuple[str, tuple[str, ...]]  # a name, and the values of its labels in the order of theirs


class Scrape:
    """What one process, or several together, said."""

    def __init__(self, *texts: str) -> None:
        self.samples: Counter[Sample] = Counter()
        self.names: set[str] = set()
        for text in texts:
            for family in parser.text_string_to_metric_families(text):
                self.names.add(family.name + ("_total" if family.type == "counter" else ""))
                if family.type == "histogram":
                    self.names.update(f"{family.name}_{part}" for part in ("bucket", "sum", "count"))
                for sample in family.samples:
                    labels = tuple(sample.labels[label] for label in sorted(sample.labels))
                    self.samples[sample.name, labels] += sample.value
                    self.names.add(sample.name)

    def __call__(self, name: str, *labels: str) -> float:
        assert name in self.names, name
        return self.samples[name, labels]

    def __sub__(self, before: "Scrape") -> "Scrape":
        """What was added since."""
        since = Scrape()
        since.names = self.names
        since.samples = Counter(self.samples)
        since.samples.subtract(before.samples)
        return since

    def by_label(self, name: str) -> dict[str, float]:
        """Those that are not 0, of a metric with one label."""
        assert name in self.names, name
        return {labels[0]: value for (found, labels), value in self.samples.items() if found == name and value}

    def buckets(self, name: str) -> dict[float, int]:
        """How many were at most each bound of a histogram without labels, but more than the one before."""
        bounds = sorted((float(labels[0]), value) for (found, labels), value in self.samples.items() if found == name)
        below = [0, *(value for _, value in bounds)]
        return {bound: int(value - before) for (bound, value), before in zip(bounds, below, strict=False)}


def scrape(*ports: int) -> Scrape:
    """Ask the processes whose ``/metrics`` is on these ports of this machine."""
    return scrape_at(*(f"127.0.0.1:{port}" for port in ports))


def scrape_at(*places: str) -> Scrape:
    """Ask the processes whose ``/metrics`` is at these hosts and ports."""
    return Scrape(*map(_text, places))


def _text(place: str) -> str:
    with urllib.request.urlopen(f"http://{place}/metrics", timeout=20) as response:
        return response.read().decode()


def scraped_until(holds: Callable[[Scrape], object], *ports: int, seconds: float = 20) -> Scrape:
    """The first answer of which ``holds`` is true."""
    deadline = time.monotonic() + seconds
    while not holds(found := scrape(*ports)):
        assert time.monotonic() < deadline, {key: value for key, value in found.samples.items() if value}
        time.sleep(0.05)
    return found
