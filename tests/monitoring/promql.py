"""Whether an expression speaks only of metrics and labels that there are, and which labels its result has."""

from collections.abc import Mapping
from typing import Any

import promql_parser as ast
from prometheus_client.parser import text_string_to_metric_families

from ingest.errors import FencedError, WarehouseUnreachable
from ingest.metrics import IngestMetrics
from ingest.observer import BatchReport

# What Prometheus adds to every series that it scrapes.
TARGET = frozenset({"job", "instance"})
# A metric's labels, each with the values that it takes.
Exported = Mapping[str, Mapping[str, set[str]]]


def exported() -> Exported:
    """What a scrape of a real IngestMetrics has, once everything happened to it that can."""
    metrics = IngestMetrics("sales_events", "caves-ingest", 32_000_000)
    metrics.partitions_owned(frozenset({0}))
    metrics.offsets_read({0: 0})
    metrics.lag(0, 5)
    metrics.batch_committed(BatchReport(10, 3_000, 0.2, 1.2, {0: 10}, 10, {0: 0}))
    metrics.retried(WarehouseUnreachable("127.0.0.1:1", "gone"))
    metrics.repeated(0, 1)
    metrics.gap_recorded(0, 3, "RETENTION")
    metrics.fenced(FencedError("sales_events", {}, {}))
    found: dict[str, dict[str, set[str]]] = {"up": {}}
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for name, value in sample.labels.items():
                labels.setdefault(name, set()).add(value)
    return found


def parsed(expression: str) -> Any:
    """Its tree. Grafana's variables stand for what Grafana puts there."""
    for variable, value in {"$__rate_interval": "1m", "$instance": ".*"}.items():
        expression = expression.replace(variable, value)
    return ast.parse(expression)


def selectors(expression: str) -> list[ast.VectorSelector]:
    found: list[ast.VectorSelector] = []

    def visit(node: Any) -> None:
        if isinstance(node, ast.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, ast.VectorSelector) and str(node) not in {str(known) for known in found}:
            found.append(node)

    ast.walk(parsed(expression), pre_visit=visit)
    return found


def labels_of(node: Any, known: Exported) -> frozenset[str]:
    """The labels of its result. Raises AssertionError where it names a label that cannot be there."""
    match node:
        case ast.VectorSelector():
            return frozenset(known[node.name or ""]) | TARGET
        case ast.MatrixSelector():
            return labels_of(node.vector_selector, known)
        case ast.ParenExpr() | ast.UnaryExpr() | ast.SubqueryExpr():
            return labels_of(node.expr, known)
        case ast.AggregateExpr():
            kept = frozenset(node.modifier.labels if node.modifier else ())
            _require(kept, labels_of(node.expr, known), node)
            return kept
        case ast.BinaryExpr():
            return _joined(node, labels_of(node.lhs, known), labels_of(node.rhs, known))
        case ast.Call():
            return _called(node, known)
        case _:
            return frozenset()


def _joined(node: ast.BinaryExpr, left: frozenset[str], right: frozenset[str]) -> frozenset[str]:
    modifier = node.modifier
    if modifier and modifier.matching:
        _require(frozenset(modifier.matching.labels), left & right, node)
    brought = frozenset(modifier.group_labels or () if modifier else ())
    _require(brought, right, node)
    either = str(node.op) == "or" or not left
    return left | brought | (right if either else frozenset())


def _called(node: ast.Call, known: Exported) -> frozenset[str]:
    arguments = [labels_of(argument, known) for argument in node.args]
    labels = frozenset[str]().union(*arguments)
    if node.func.name == "histogram_quantile":
        _require(frozenset({"le"}), labels, node)
        return labels - {"le"}
    if node.func.name == "absent":
        matchers = node.args[0].matchers.matchers
        return frozenset(matcher.name for matcher in matchers if matcher.op == ast.MatchOp.Equal)
    return labels


def _require(named: frozenset[str], there: frozenset[str], node: Any) -> None:
    assert named <= there, f"no label {', '.join(sorted(named - there))} in: {node}"


def check(expression: str, known: Exported, jobs: set[str]) -> frozenset[str]:
    """Metrics, labels and the values that labels are compared with; the labels of its result."""
    for selector in selectors(expression):
        name = selector.name or ""
        assert name in known, f"nobody exports {name!r}"
        values = {**known[name], "job": jobs}
        for matcher in selector.matchers.matchers:
            _require(frozenset({matcher.name}), frozenset(known[name]) | TARGET, selector)
            if matcher.op in (ast.MatchOp.Equal, ast.MatchOp.NotEqual):
                assert matcher.value in values[matcher.name], f"{matcher.name} is never {matcher.value!r}"
    return labels_of(parsed(expression), known)
