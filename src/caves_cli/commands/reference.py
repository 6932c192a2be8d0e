"""caves reference"""

import click
import typer

from caves_cli import console


def reference(context: typer.Context) -> None:
    """Print docs/reference/cli.md: every command, option and exit code, read from the code.

    Examples:
      caves reference > docs/reference/cli.md
    """
    from caves_cli.reference import page

    root = context.find_root().command
    if isinstance(root, click.Group):
        console.out.file.write(page(root))
