"""caves completion"""

from enum import StrEnum
from typing import Annotated, Final

import click
import typer

from caves_cli import console

# The script sets it when it calls `caves` for suggestions.
VARIABLE: Final = "_CAVES_COMPLETE"


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    context: typer.Context, shell: Annotated[Shell, typer.Argument(help="Which shell the script is for.")]
) -> None:
    """Print the script that lets a shell complete commands, options, connections and reason codes.

    Put the line for your shell where it reads it at its start: ~/.bashrc, ~/.zshrc (after compinit), or
    ~/.config/fish/config.fish.

      eval "$(caves completion bash)"
      eval "$(caves completion zsh)"
      caves completion fish | source

    Examples:
      caves completion bash
      caves completion fish
    """
    from click.shell_completion import get_completion_class

    speaker = get_completion_class(shell)
    root = context.find_root().command
    if speaker is not None:
        console.out.file.write(speaker(root, {}, "caves", VARIABLE).source())


def suggest(root: click.Command, instruction: str) -> int:
    """What the script asks for: the words that may come next."""
    from click.shell_completion import shell_complete

    return shell_complete(root, {}, "caves", VARIABLE, instruction)
