"""The table of docs/clusters.md: what features of 10 million pictures and a head on them cost on 1, 8 and 64 GPUs.

    python docs/cluster_costs.py [--pictures N] [--kilobytes KB] [--rate A_SECOND] [--decoded A_SECOND] [--width D]
                                 [--classes C] [--cores N] [--gpus 1,8,64] [--gpu-hour MONEY]
                                 [--core-hour MONEY] [--network GBIT] [--disk GB_A_SECOND]

Rates are measured (see the page), prices are assumptions: give your own. One pass is as slow as the slowest of the
GPUs, the cores that decode, the network that brings the files, and the one process that keeps the features.
"""

from __future__ import annotations

import argparse
import sys
from typing import NamedTuple

__all__ = ["Assumptions", "Costs", "costs", "main"]

THUMBNAIL = 32 * 32 * 3
KEY = 32


class Assumptions(NamedTuple):
    """What is assumed, in the units of the options.

    rate      pictures a second of one GPU, from uint8 in host memory to features in host memory
    decoded   pictures a second that one core reads, decodes and resizes
    cores     that decode, a GPU
    network   Gbit a second into each machine; gpus_a_machine share it
    keeping   MB a second that the one process keeps in the cache
    flops     that one core does a second in float64 matrix products
    """

    pictures: int = 10_000_000
    kilobytes: float = 110.0
    rate: float = 14_600.0
    decoded: float = 590.0
    width: int = 2048
    classes: int = 1000
    cores: int = 16
    gpu_hour: float = 3.0
    core_hour: float = 0.04
    network: float = 25.0
    gpus_a_machine: int = 8
    keeping: float = 400.0
    disk: float = 2.0
    flops: float = 8e10


class Costs(NamedTuple):
    """Of one number of GPUs: hours by what limits them, bytes, and money."""

    gpus: int
    hours_gpu: float
    hours_decoding: float
    hours_network: float
    hours_keeping: float
    hours_ridge: float
    money: float

    @property
    def hours(self) -> float:
        """Of the pass: what takes longest, since all of it goes on at once."""
        return max(self.hours_gpu, self.hours_decoding, self.hours_network, self.hours_keeping)

    @property
    def limit(self) -> str:
        """What takes longest."""
        names = ("GPU", "decoding", "network", "keeping")
        return max(zip(self[1:5], names, strict=True))[1]


def costs(given: Assumptions, gpus: int) -> Costs:
    """What so many GPUs cost."""
    n, seconds = given.pictures, 3600.0
    machines = -(-gpus // given.gpus_a_machine)
    features = n * (4 * given.width + KEY + THUMBNAIL)
    gpu = n / (gpus * given.rate) / seconds
    decoding = n / (gpus * given.cores * given.decoded) / seconds
    network = n * given.kilobytes * 1e3 / (machines * given.network * 1e9 / 8) / seconds
    keeping = features / (given.keeping * 1e6) / seconds
    products = 2.0 * n * given.width * (given.width + given.classes)
    ridge = max(products / (given.cores * given.flops), 4.0 * n * given.width / (given.disk * 1e9)) / seconds
    hours = max(gpu, decoding, network, keeping)
    price = gpus * (given.gpu_hour + given.cores * given.core_hour)
    money = hours * price + ridge * given.cores * given.core_hour
    return Costs(gpus, gpu, decoding, network, keeping, ridge, money)


def table(given: Assumptions, gpus: list[int]) -> str:
    """Markdown, a row a number of GPUs."""
    lines = [
        "| GPUs | GPU h | decoding h | network h | keeping h | the pass h | limited by | ridge h | money |",
        "|--:|--:|--:|--:|--:|--:|---|--:|--:|",
    ]
    for each in (costs(given, count) for count in gpus):
        hours = " | ".join(f"{value:.2f}" for value in (*each[1:5], each.hours))
        lines.append(f"| {each.gpus} | {hours} | {each.limit} | {each.hours_ridge:.2f} | {each.money:.2f} |")
    stored = given.pictures * (4 * given.width + KEY + THUMBNAIL)
    read = given.pictures * given.kilobytes * 1e3
    lines += ["", f"Read: {read / 1e12:.2f} TB. Kept: {stored / 1e9:.0f} GB."]
    return "\n".join(lines)


def main(words: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in Assumptions()._asdict().items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--gpus", default="1,8,64")
    given = vars(parser.parse_args(words))
    gpus = [int(count) for count in given.pop("gpus").split(",")]
    sys.stdout.write(table(Assumptions(**given), gpus) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
