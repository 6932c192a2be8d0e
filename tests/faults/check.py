"""What must hold after every round, over everything since the world began."""

from collections import Counter

from caves_cli import report
from caves_cli.report import Report
from tests.faults.coordinates import Coordinate, compare, coordinates_in_log, coordinates_in_raw
from tests.faults.world import TOPIC, World


def problems(world: World) -> list[str]:
    """Every way in which the warehouse is not what it must be; an empty list when all is well."""
    outcome = Report(world.truth, report.read(world.session), {})
    found = [
        f"invariant {verdict.invariant.number}, {verdict.invariant.name}: broken by {verdict.count}, "
        + "; ".join(f"{key} {problem}" for key, problem in verdict.offenders[:3])
        for verdict in outcome.findings.verdicts
        if not verdict.holds
    ]
    found += [
        f"truth: {mismatch.what} is {mismatch.actual} and must be {mismatch.expected}"
        for mismatch in outcome.mismatches
    ]
    comparison = compare(_log(world), coordinates_in_raw(world.ask, TOPIC))
    if not comparison.equal:
        found.append(f"coordinates: {comparison}")
    sent = world.truth.events_produced
    if comparison.messages != sent:
        found.append(f"the log holds {comparison.messages:,} messages and the shop sent {sent:,}")
    return found


def _log(world: World) -> Counter[Coordinate]:
    return coordinates_in_log(world.broker.bootstrap, TOPIC)
