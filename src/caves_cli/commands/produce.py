"""caves produce"""

from typing import Annotated

import typer

from caves_cli import console, local_kafka
from caves_cli.bars import bar
from caves_cli.options import Bootstrap, Topic


def produce(
    events: Annotated[
        int, typer.Option(min=0, metavar="N", help="How many events; 0 goes on until Ctrl-C.")
    ] = 20_000,
    rate: Annotated[
        float,
        typer.Option(min=0, metavar="N", help="Events a second; 0 is as fast as the broker takes them."),
    ] = 0,
    seed: Annotated[
        int, typer.Option(metavar="N", help="The same seed makes the same shop, customers and mistakes.")
    ] = 42,
    bad_share: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of events that break the contract.")
    ] = 0.01,
    duplicate_share: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of events that repeat an earlier one.")
    ] = 0.02,
    topic: Topic = None,
    bootstrap: Bootstrap = None,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write what was sent as JSON; - is stdout.")
    ] = None,
) -> None:
    """Send orders and stock movements to Kafka, as the shop's systems would.

    About 70 % orders and 30 % stock movements of some 200 wines and spirits in 4 places, among them the
    events that pipelines stumble over: broken JSON, wrong types, repeats, late corrections. At the end it
    says what the warehouse must hold once all has flowed through.

    Examples:

      caves produce --events 5000

      caves produce --events 0 --rate 200 --bad-share 0.05
    """
    from ingest.producer import produce as send
    from ingest.settings import ProducerSettings
    from ingest.signals import stop_on_signals

    settings = ProducerSettings(
        bootstrap=local_kafka.bootstrap(bootstrap),
        topic=local_kafka.topic(topic),
        events=events,
        rate=rate,
        seed=seed,
        bad_share=bad_share,
        duplicate_share=duplicate_share,
    )
    with stop_on_signals() as stop, bar(f"Sending to {settings.topic}", total=events or None) as shown:
        report = send(settings, stop, shown.at)
    truth = report.truth
    if json_file is not None:
        console.write_json({**truth.as_json(), "seconds": report.seconds}, json_file)
    console.note(
        f"Sent {truth.events_produced:,} events to {settings.topic} in {report.seconds:.1f} s"
        f" ({report.events_per_second:,.0f}/s): {truth.orders:,} orders, {truth.corrections:,} corrections"
        f" of them, {truth.adjustments:,} stock movements, {truth.duplicates:,} repeats,"
        f" {truth.rejected:,} that must be rejected."
        f" Revenue {truth.expected_revenue_cents / 100:,.2f} EUR."
    )
